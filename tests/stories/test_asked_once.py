"""What questions cost at CircleCI: nothing is asked for twice, and with an empty store no more than is needed."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bot.actions import ShowArtifacts, ShowLog, ShowTests
from bot.requests import OfTarget
from playground.circleci.past import FRONTEND_PAST
from playground.circleci.pipelines import Pipeline
from playground.circleci.world import write_past
from tests.floors import cold_questions, paths
from tests.operations.scene import FRONTEND, OVER, presses, pushed, somewhere, team_under, types
from tests.registry import table
from tests.stories.team import Team

POLICY = """# Which projects and branches are meant is looked up for it.
[[rules]]
name = "everybody may"
roles = ["members"]
words = ["read", "deploy"]

[[rules]]
name = "nobody looks there"
effect = "deny"
words = ["read"]
projects = ["acme/secret"]
branches = ["secret"]
"""


async def asked(team: Team, text: str) -> list[str]:
    """Ask something, and return what was asked of CircleCI for it."""
    team.circleci.requests.clear()
    await types(team, team.ada, text)
    return paths(team.circleci)


async def test_a_cold_question_costs_what_it_needs(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        floors = cold_questions(team.circleci)
        assert {text: len(await asked(team, text)) for text in floors} == floors


def lines(build: Pipeline) -> Iterator[str]:
    """Yield each command that only looks at builds, in ways to name them; what follows one polls."""
    job = next(run.job_numbers["unit-tests"] for run in build.runs if "unit-tests" in run.job_numbers)
    for row in table()["command"]:
        if row.permission == "read" and issubclass(row.asked, OfTarget) and row.name != "watch":
            word = "why deploy" if row.name == "why" else row.name
            yield from (f"{word} acme/frontend {name}" for name in ("", job))
    yield from (f"triage acme/frontend {name}" for name in (build.revision[:9], "none", f"#{job}"))
    yield f"artifacts get acme/frontend {job} junit"


async def test_no_question_asks_for_the_same_twice(tmp_path: Path) -> None:
    async with team_under(POLICY, tmp_path) as team:
        write_past(team.circleci.world, FRONTEND, "main", FRONTEND_PAST[-4:])
        build = pushed(team, "release/v2.0", OVER)
        twice = dict[str, list[str]]()
        for text in lines(build):
            team.app.permissions.forget()  # or it knows for a while what a project is called
            counted = Counter(await asked(team, text))
            twice[text] = [path for path, times in counted.items() if times > 1]
        buttons = (ShowLog, ShowTests, ShowArtifacts)
        for action in [one.model_validate({"pipeline_id": build.id, "attempt": "another"}) for one in buttons]:
            team.circleci.requests.clear()
            await presses(team, team.ada, somewhere(team), action)
            counted = Counter(paths(team.circleci))
            twice[repr(action)] = [path for path, times in counted.items() if times > 1]
        assert {text: found for text, found in twice.items() if found} == {}
