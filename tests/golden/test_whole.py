"""No course is left out of what is recorded, and no file is left behind; for the rest see `tests/test_registry.py`."""

from tests.golden import (
    test_answers,
    test_courses,
    test_errors,
    test_gate,
    test_mine,
    test_notices,
    test_presses,
    test_red,
    test_told,
    test_told_events,
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
    *test_notices.SCENES,
    "notices-asked-to-agree",
    *test_presses.SCENES,
    *test_red.SCENES,
    *test_told_events.SCENES,
    *test_told.SCENES,
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


def test_what_can_be_shared_names_the_project_for_those_who_have_not_read_the_question() -> None:
    scenes = [scene for file in FOLDER.iterdir() for scene in file.read_text(encoding="utf-8").split("» ")]
    about_one = [scene.partition("\n") for scene in scenes if "button        Share here" in scene]
    told = [(asked, words) for asked, _, words in about_one if "acme/" in asked]
    assert len(told) > 30
    nameless = [asked for asked, words in told if "acme/" not in words.partition("section ")[2]]
    assert nameless == []
