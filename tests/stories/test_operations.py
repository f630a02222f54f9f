"""The 22 operations of the classic API, each reached from Slack, as docs/operations.md has them."""

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from playground.slack.conversations import Message
from playground.slack.people import Person
from tests.stories.team import Team, team_at_work

DOCUMENT = Path(__file__).parents[2] / "docs" / "operations.md"


class Row(NamedTuple):
    operation: str
    said: str
    pressed: str
    asked: str


def rows() -> list[Row]:
    """Return the table of the document."""
    lines = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [
        Row(one.strip("`"), said.strip("`"), pressed.strip("*"), asked.strip("`"))
        for one, said, pressed, asked in cells
    ]


def test_the_table_has_all_of_them() -> None:
    operations = [row.operation for row in rows()]
    assert len(operations) == len(set(operations)) == 22


async def test_each_operation_is_reached_by_a_command(tmp_path: Path) -> None:
    async with team_at_work(tmp_path, admins=("U0ADMIN",)) as team:
        admin = team.slack.person("admin")
        await team.deploys_branch("try/failing-tests")  # nothing below builds that anew, and so asks what is meant
        await team.reads("Failed after")
        await team.runs()
        started = team.circleci.world.pipelines
        await team.until(lambda: len(started) > 1 and "test" in started[1].runs[0].job_numbers)
        for row in rows():
            before = len(team.circleci.requests)
            await do(team, admin, row)
            asked = [f"{one.method} {one.path.partition('?')[0]}" for one in team.circleci.requests[before:]]
            assert any(fnmatchcase(one, really(team, row.asked)) for one in asked), (row, asked)


async def do(team: Team, admin: Person, row: Row) -> None:
    """Type the command, press what is offered, fill in what is asked, until CircleCI was asked."""
    before, requests = admin.mark, len(team.circleci.requests)
    await admin.command("releases", "/ci", really(team, row.said).removeprefix("/ci "))
    if row.pressed:
        label = really(team, row.pressed)
        told = await team.slack.wait_for(
            lambda: [one for one in admin.sees_only_since(before) if label in one.buttons], 60
        )
        await press(team, admin, told[0], label)
    method, _, pattern = really(team, row.asked).partition(" ")
    await team.until(
        lambda: [
            one
            for one in team.circleci.requests[requests:]
            if one.method == method and fnmatchcase(one.path.partition("?")[0], pattern) and one.status
        ]
    )


async def press(team: Team, admin: Person, told: Message, label: str) -> None:
    await admin.click(told, label)
    values = {
        "Type the value": {"value": "a value"},
        "Paste the key": {
            "key": "a key",
            "private_key": "-----BEGIN OPENSSH PRIVATE KEY-----",
        },
    }.get(label)
    if values is None:
        return
    view = await team.slack.wait_for(lambda: admin.modal)
    assert view is not None
    asked = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    await admin.submit(view, {name: value for name, value in values.items() if name in asked})
    await admin.close(view)


def really(team: Team, text: str) -> str:
    """Put the numbers of this story in the place of the document's."""
    jobs = {
        name: number
        for one in team.circleci.world.pipelines[:2]
        for run in one.runs[:2]
        for name, number in run.job_numbers.items()
    }
    keys = team.circleci.classic.keys.get("gh/acme/frontend") or [{"fingerprint": "c9:0b"}]
    text = re.sub(r"\b1842\b", str(jobs["unit-tests"]), text)
    text = re.sub(r"\b1850\b", str(jobs["test"]), text)
    return text.replace("c9:0b", str(keys[0]["fingerprint"]))
