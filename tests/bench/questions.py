"""What questions cost at CircleCI with an empty store, against what they need."""

from pathlib import Path

from playground.slack.people import Person
from tests.bench.stage import Figure, far_sides, running, seen
from tests.floors import cold_questions, paths

SIGNS = ("👀", "⏳")  # what stands there until the answer does


async def questions(folder: Path) -> list[Figure]:
    """Ask each of them once, one after the other."""
    rows = []
    async with far_sides() as (slack, circleci), running(slack, circleci, folder / "questions"):
        await slack.connected()
        for text, floor in cold_questions(circleci).items():
            circleci.requests.clear()
            await _is_answered(slack.person("ada"), text)
            asked = len(paths(circleci))
            rows.append(Figure(f"requests of a cold `{text}`", str(asked), f"{floor}, what it needs", asked <= floor))
    return rows


async def _is_answered(person: Person, text: str) -> None:
    before = person.mark
    await person.command("deploys", "/ci", text)
    await seen(lambda: [one for one in person.sees_only_since(before) if not one.visible.startswith(SIGNS)])
