"""No course is left out of what is recorded, and no file is left behind; for the rest see `tests/test_registry.py`."""

from tests.golden import (
    test_answers,
    test_courses,
    test_errors,
    test_gate,
    test_mine,
    test_presses,
    test_troubles,
    test_verdicts,
)
from tests.golden.playground import COURSES
from tests.golden.records import FOLDER

NAMES = {
    *test_answers.HELPING,
    *test_answers.LOOKING,
    *test_answers.DOING,
    *(f"course-{name}" for name in test_courses.PLAYED),
    *test_errors.RECORDED,
    *test_gate.SCENES,
    *test_mine.SCENES,
    *test_presses.SCENES,
    *test_troubles.SCENES,
    *test_verdicts.SCENES,
}


def test_every_course_is_played() -> None:
    assert {f"course-{name}" for name in COURSES} <= NAMES


def test_no_file_is_left_behind(golden: bool) -> None:
    left = [file for file in FOLDER.iterdir() if file.stem not in NAMES]
    for file in left if golden else ():
        file.unlink()
    assert golden or not left, f"nothing says this any more: {[file.name for file in left]}. `make golden` removes it."
