"""Somebody presses every button of every message: of each course, and of what is answered to each command."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from bot.actions import ShareAnswer
from bot.settings import ProjectEntry, Projects
from tests.golden.playground import COURSES, Json, Message, terminal
from tests.golden.stage import Stage, staged
from tests.golden.test_answers import DOING, LOOKING, built, spoken

# The bot looks so many seconds after all courses began: while they run, one is on hold, until the last has ended.
LOOKS = (5, 41, 46, 85, 200, 272, 612)
OLD = re.compile(
    r"older version|too old|do not know (this|what)|reference|went wrong|broke on my side|not responding",
    re.IGNORECASE,
)
# What stands must not be pressed in vain; what it stood on before may have ended since.
IN_VAIN = re.compile(r"There is nothing|It waits for no|is not there any more", re.IGNORECASE)
# Where a definition starts the builds, somebody chooses which.
DEPLOYS = (
    *(f"deploy acme/frontend try/{name}" for name in COURSES if name != "skip-ci"),
    "deploy circleci/5e0c5f62/9f1c2d7a main",
    "deploy legacy main",
    "deploy legacy slow",
)
NOT_BEGUN = ("late-workflow", "setup", "no-workflow", "config-error")  # five seconds after they were triggered
WITH_CLASSIC = Projects(projects={"legacy": ProjectEntry(slug="gh/acme/legacy", api="classic")})

Button = tuple[Message, Json]


class Presser:
    """Presses as one person what that person sees, each button once, and keeps what it saw: it may be pressed later."""

    def __init__(self, stage: Stage, name: str = "ada") -> None:
        self._stage, self._name = stage, name
        self.seen: dict[str, Button] = {}
        self.pressed = set[str]()

    def looks(self) -> None:
        """Keep every button there is now."""
        self.seen |= self._standing()

    def passes_over(self) -> None:
        """Leave alone what stands already."""
        self.pressed |= self._standing().keys()

    async def presses_what_stands(self) -> None:
        """Press what can be pressed now, and what comes of it, until there is no more."""
        while left := {key: one for key, one in self._standing().items() if key not in self.pressed}:
            self.seen |= left
            for key, button in left.items():
                # What was pressed before it may have taken it away.
                await self._press(key, button, in_vain=key not in self._standing())

    async def presses_old_ones(self) -> None:
        """Press all that was ever seen once more, as it was then; a link, which nobody answers, need not be."""
        for key, button in list(self.seen.items()):
            if not button[1].get("url"):
                await self._press(key, button, in_vain=True)

    async def _press(self, key: str, button: Button, *, in_vain: bool) -> None:
        self.pressed.add(key)
        stage, person = self._stage, self._stage.team.slack.person(self._name)
        stage.takes_down()
        await stage.presses(self._name, *button)
        if person.modal is not None:
            await person.close(person.modal)
        told = stage.takes_down()
        assert not OLD.search(told), told
        assert in_vain or not IN_VAIN.search(told), told
        assert button[1].get("url") or "(nobody sees anything new)" not in told, told

    def _standing(self) -> dict[str, Button]:
        person, workspace = self._stage.team.slack.person(self._name), self._stage.team.slack.workspace
        reads = [channel for channel in workspace.channels.values() if person.id in channel.members]
        seen = [*(one for channel in reads for one in channel.messages if one.bot_id), *person.sees_only]
        return {_key(message, button): (message, button) for message in seen for button in _buttons(message)}


def _key(message: Message, button: Json) -> str:
    """Name a button; the answers to one command are all shared in the same way."""
    if button["action_id"] == ShareAnswer.action_id:
        return f"{ShareAnswer.action_id} {ShareAnswer.unpack(button['value']).text.partition(' ')[0]}"
    return f"{message.ts} {button['action_id']} {button.get('value') or button.get('url')}"


def _buttons(message: Message) -> Iterable[Json]:
    return (one for one in terminal.elements(message.blocks) if one["type"] == "button")


@pytest.mark.parametrize(
    ("moment", "lines"),
    [
        pytest.param(5, tuple(line for line in DEPLOYS if line.endswith(NOT_BEGUN)), id="not-begun"),
        pytest.param(46, DEPLOYS, id="running-and-on-hold"),
        pytest.param(612, DEPLOYS, id="ended"),
    ],
)
async def test_every_button_of_every_course_can_be_pressed(tmp_path: Path, moment: int, lines: tuple[str, ...]) -> None:
    async with staged(tmp_path, past=True, projects=WITH_CLASSIC) as stage:
        presser, now = Presser(stage), 0
        for line in lines:
            await stage.types("ada", line, "deploys")
        for second in LOOKS:
            await stage.moves_on(second - now)
            now = second
            presser.looks()
            if second == moment:
                await presser.presses_what_stands()
        await presser.presses_what_stands()
        if moment == LOOKS[-1]:  # by then all there ever were have been seen
            await presser.presses_old_ones()


async def test_every_button_that_a_command_offers_can_be_pressed(tmp_path: Path) -> None:
    async with built(tmp_path) as stage:
        pressers = {name: Presser(stage, name) for name in ("ada", "grace", "admin", "guest", "stranger")}
        for presser in pressers.values():
            presser.passes_over()
        for lines, where in (
            *((one, "general") for one in LOOKING.values()),
            *((one, "deploys") for one in DOING.values()),
        ):
            for name, text in spoken(stage, lines):
                await stage.types(name, text, where)
                await pressers[name].presses_what_stands()
