"""What questions need of CircleCI when nothing is known yet, counted in the pretend CircleCI's own builds."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from math import ceil

from playground.circleci.api import ARTIFACTS_PAGE, CircleCI
from playground.circleci.past import FRONTEND_PAST, PastPlan, scenario_of
from playground.circleci.pipelines import FAILED, Pipeline, Run
from playground.circleci.scenarios import JobPlan
from playground.circleci.world import World, write_past

FRONTEND, BACKEND = "gh/acme/frontend", "gh/acme/backend"
BUILDS_SHOWN, STEPS_COMPARED = 5, 3
OVER = timedelta(seconds=400)
# The most that may be needed for a failed build of two workflows, with one green build before it.
MOST_OF_TRIAGE, MOST_OF_TESTS = 13, 8


def cold_questions(circleci: CircleCI) -> dict[str, int]:
    """Let there be builds to ask about, and return what each of some questions needs, asked in this order."""
    world = circleci.world
    write_past(world, FRONTEND, "busy", FRONTEND_PAST[:25])
    busy, backend = ([one for one in world.history if one.slug == slug] for slug in (FRONTEND, BACKEND))
    failed, main = _pushed(world, FRONTEND, "release/v2.0"), _pushed(world, FRONTEND, "main")
    world.set_scenario(BACKEND, "fix", scenario_of(PastPlan((frozenset({"test_charges_once"}),))))
    fix = _pushed(world, BACKEND, "fix")
    red = [(run, job) for run, job in _ran([failed]) if job.ends in FAILED]
    floors = {
        "tests acme/frontend release/v2.0": 1 + _whole(failed) + _results(red, circleci),
        "triage acme/frontend release/v2.0": _triage(failed, [main], circleci),
        "triage acme/backend fix": _triage(fix, backend, circleci),
        "flaky acme/frontend busy last=25": _flaky(busy, circleci),
        "status acme/frontend busy": 1 + BUILDS_SHOWN,
        "status acme/backend": 2 + BUILDS_SHOWN,
    }
    assert floors["tests acme/frontend release/v2.0"] <= MOST_OF_TESTS
    assert floors["triage acme/frontend release/v2.0"] <= MOST_OF_TRIAGE
    return floors


def paths(circleci: CircleCI) -> list[str]:
    """Return what was asked; whose its token is, a bot looks up by itself at the start."""
    return [seen.path for seen in circleci.requests if not seen.path.endswith("/me")]


def _pushed(world: World, slug: str, branch: str) -> Pipeline:
    pipeline = world.trigger(slug, branch=branch, parameters={}, by="barbara")
    world.clock.advance(OVER)
    world.tick()
    return pipeline


def _triage(build: Pipeline, earlier: list[Pipeline], circleci: CircleCI) -> int:
    """Count what a comparison with another branch needs: both lists, the project, the build, and each earlier one."""
    names = {job.name for _, job in _ran([build]) if job.ends in FAILED}
    compared = [(run, job) for run, job in _ran(earlier) if job.name in names]
    steps = min(STEPS_COMPARED, sum(job.ends == "success" for _, job in compared))
    lists = 1 + _pages(len(earlier), circleci.page_size)
    past = sum(map(_whole, earlier)) + _results(compared, circleci) + steps
    return lists + 1 + _whole(build) + _evidence(build, circleci) + past


def _flaky(builds: list[Pipeline], circleci: CircleCI) -> int:
    """Count what a ranking needs: the project, its list, CircleCI's own word, each build, and one for each job."""
    lists = _pages(len(builds), circleci.page_size)
    return 2 + lists + sum(map(_whole, builds)) + _results(_ran(builds), circleci)


def _evidence(build: Pipeline, circleci: CircleCI) -> int:
    """Count what a report needs: of each failed job its tests, its files and its steps; a log where no test failed."""
    failed = [(run, job) for run, job in _ran([build]) if job.ends in FAILED]
    files = sum(_pages(len(job.artifacts), ARTIFACTS_PAGE) for _, job in failed)
    logs = sum(not any(test.message for test in job.tests) for _, job in failed)
    return _results(failed, circleci) + files + len(failed) + logs


def _whole(build: Pipeline) -> int:
    """Count what a build needs that was found in a list: its workflows, and the jobs of each attempt."""
    return 1 + len(build.runs)


def _results(jobs: Iterable[tuple[Run, JobPlan]], circleci: CircleCI) -> int:
    return sum(_pages(len(job.tests), circleci.tests_page_size) for _, job in jobs)


def _ran(builds: Iterable[Pipeline]) -> Iterator[tuple[Run, JobPlan]]:
    """Yield the jobs that ran."""
    return ((run, job) for one in builds for run in one.runs for job in run.plan.jobs if job.name in run.job_numbers)


def _pages(many: int, size: int) -> int:
    return max(1, ceil(many / size))
