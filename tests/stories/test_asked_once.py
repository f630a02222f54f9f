"""What questions cost at CircleCI: nothing is asked for twice, and with an empty store no more than is needed."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from math import ceil
from pathlib import Path

import pytest

from bot.actions import ShowArtifacts, ShowLog, ShowTests
from bot.requests import OfTarget
from playground.circleci.api import ARTIFACTS_PAGE, CircleCI
from playground.circleci.past import FRONTEND_PAST, PastPlan, scenario_of
from playground.circleci.pipelines import FAILED, Pipeline, Run
from playground.circleci.scenarios import JobPlan
from playground.circleci.world import write_past
from tests.operations.scene import BACKEND, FRONTEND, OVER, presses, pushed, somewhere, team_under, types
from tests.registry import table
from tests.stories.team import Team

BUILDS_SHOWN, STEPS_COMPARED = 5, 3
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


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_under("", tmp_path) as team:
        yield team


async def asked(team: Team, text: str) -> list[str]:
    """Ask something, and return what was asked of CircleCI for it."""
    team.circleci.requests.clear()
    await types(team, team.ada, text)
    return paths(team)


def paths(team: Team) -> list[str]:
    """Return what was asked; whose its token is, a bot looks up by itself at the start."""
    return [seen.path for seen in team.circleci.requests if not seen.path.endswith("/me")]


def pages(many: int, size: int) -> int:
    return max(1, ceil(many / size))


def whole(build: Pipeline) -> int:
    """Count what a build needs: the list of its workflows, and the jobs of each attempt."""
    return 1 + len(build.runs)


def ran(builds: Iterable[Pipeline]) -> Iterator[tuple[Run, JobPlan]]:
    """Yield the jobs that ran."""
    return ((run, job) for one in builds for run in one.runs for job in run.plan.jobs if job.name in run.job_numbers)


def results(jobs: Iterable[tuple[Run, JobPlan]], circleci: CircleCI) -> int:
    return sum(pages(len(job.tests), circleci.tests_page_size) for _, job in jobs)


def evidence(build: Pipeline, circleci: CircleCI) -> int:
    """Count what a report needs: of each failed job its tests, its files and its steps; a log where no test failed."""
    failed = [(run, job) for run, job in ran([build]) if job.ends in FAILED]
    files = sum(pages(len(job.artifacts), ARTIFACTS_PAGE) for _, job in failed)
    logs = sum(not any(test.message for test in job.tests) for _, job in failed)
    return results(failed, circleci) + files + len(failed) + logs


def triage(build: Pipeline, earlier: list[Pipeline], circleci: CircleCI) -> int:
    """Count what a comparison with another branch needs: both lists, the project, the build, and each earlier one."""
    names = {job.name for _, job in ran([build]) if job.ends in FAILED}
    compared = [(run, job) for run, job in ran(earlier) if job.name in names]
    steps = min(STEPS_COMPARED, sum(job.ends == "success" for _, job in compared))
    lists = 1 + pages(len(earlier), circleci.page_size)
    past = sum(map(whole, earlier)) + results(compared, circleci) + steps
    return lists + 1 + whole(build) + evidence(build, circleci) + past


def flaky(builds: list[Pipeline], circleci: CircleCI) -> int:
    """Count what a ranking needs: the project, its list, CircleCI's own word, each build, and one for each job."""
    return 2 + pages(len(builds), circleci.page_size) + sum(map(whole, builds)) + results(ran(builds), circleci)


async def test_a_cold_question_costs_what_is_needed(team: Team) -> None:
    world, circleci = team.circleci.world, team.circleci
    write_past(world, FRONTEND, "busy", FRONTEND_PAST[:25])
    busy, backend = ([one for one in world.history if one.slug == slug] for slug in (FRONTEND, BACKEND))
    failed, main = pushed(team, "release/v2.0", OVER), pushed(team, "main", OVER)
    world.set_scenario(BACKEND, "fix", scenario_of(PastPlan((frozenset({"test_charges_once"}),))))
    fix = pushed(team, "fix", OVER, slug=BACKEND)
    unit = [(run, job) for run, job in ran([failed]) if job.ends in FAILED]
    floors = {
        "tests acme/frontend release/v2.0": 1 + whole(failed) + results(unit, circleci),
        "triage acme/frontend release/v2.0": triage(failed, [main], circleci),
        "triage acme/backend fix": triage(fix, backend, circleci),
        "flaky acme/frontend busy last=25": flaky(busy, circleci),
        "status acme/frontend busy": 1 + BUILDS_SHOWN,
        "status acme/backend": 2 + BUILDS_SHOWN,
    }
    assert floors["triage acme/frontend release/v2.0"] <= 13
    assert floors["tests acme/frontend release/v2.0"] <= 8
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
            counted = Counter(paths(team))
            twice[repr(action)] = [path for path, times in counted.items() if times > 1]
        assert {text: found for text, found in twice.items() if found} == {}
