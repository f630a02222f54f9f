"""Nothing is left out of what is recorded: no command, no button, no course; and no file is left behind."""

import re

from bot.routing import Router
from commands import register
from tests.golden import test_answers, test_courses, test_errors, test_gate, test_presses, test_troubles, test_verdicts
from tests.golden.playground import COURSES
from tests.golden.records import FOLDER

NAMES = {
    *test_answers.LOOKING,
    *test_answers.DOING,
    *(f"course-{name}" for name in test_courses.PLAYED),
    *test_errors.RECORDED,
    *test_gate.SCENES,
    *test_presses.SCENES,
    *test_troubles.SCENES,
    *test_verdicts.SCENES,
}


def test_every_command_is_answered() -> None:
    assert {f"answer-{name}" for name in register(Router()).commands} <= NAMES


def test_every_course_is_played() -> None:
    assert {f"course-{name}" for name in COURSES} <= NAMES


def test_every_button_is_pressed() -> None:
    router = register(Router())
    recorded = "".join(file.read_text(encoding="utf-8") for file in FOLDER.iterdir())
    pressed = set(re.findall(r"^» \w+ presses \[ .+ \] \((\w+)\)$", recorded, re.MULTILINE))
    assert {*router.actions, *router.forms} <= pressed


def test_no_file_is_left_behind(golden: bool) -> None:
    left = [file for file in FOLDER.iterdir() if file.stem not in NAMES]
    for file in left if golden else ():
        file.unlink()
    assert golden or not left, f"nothing says this any more: {[file.name for file in left]}. `make golden` removes it."
