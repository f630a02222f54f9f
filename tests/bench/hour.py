"""An hour of pushes by nobody typed, as data: projects, rules, and builds with their ends. Pure, but for its chance."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from playground.circleci.scenarios import JobPlan, Scenario, TestPlan, WorkflowPlan
from tests.oracle.news import Rule

MINUTE = 60
# Of what rules say: the usual words most often.
WORDS = (
    (),
    (),
    ("main", "release/*", "!release/old", "broke", "fixed", "still-red"),
    ("!feature/*", "failed", "passed", "channel"),
    ("*", "broke", "fixed", "still-red"),
    ("release/*", "failed"),
)
BRANCHES = (*["main"] * 7, *["release/1", "release/2"] * 2, "release/old", *(f"feature/{n}" for n in range(8)))
COURSES = (*["green"] * 13, *["red"] * 8, "refused", "cancelled", "setup", "hold")
SHORTEST, LONGEST = 3 * MINUTE, 12 * MINUTE
RERUN_SHARE, LOST_SHARE, DOUBLED_SHARE = 0.25, 0.03, 0.1
NAMES = tuple(f"test_page_{number}" for number in range(20))


@dataclass(frozen=True)
class Size:
    """How much happens in how many minutes, and how many `times` faster than on a clock."""

    projects: int = 200
    rules: int = 50
    channels: int = 20
    builds: int = 2000
    minutes: int = 60
    times: int = 12

    @property
    def seconds(self) -> float:
        """How long it takes, on a clock."""
        return self.minutes * MINUTE / self.times


class Push(NamedTuple):
    """A push `at` which second of that hour, whose build takes `seconds`; whether it is run again, when it failed.

    Of an end a webhook may be `lost`, or come as often as `deliveries` says.
    """

    at: float
    project: str
    branch: str
    course: str
    seconds: float
    failing: tuple[str, ...] = ()
    is_rerun: bool = False
    is_lost: bool = False
    deliveries: int = 1


def projects(size: Size) -> list[str]:
    """Return their names; each second one has webhooks (`has_webhooks`)."""
    return [f"acme/p{number:03}" for number in range(size.projects)]


def has_webhooks(project: str) -> bool:
    """Say whether somebody has set up the webhooks of a project."""
    return int(project[-3:]) % 2 == 0


def rules(size: Size, chance: Random) -> list[Rule]:
    """Return what channels subscribe to: of ten rules one is the second of its project, in the same channel or not."""
    names, found = projects(size), list[Rule]()
    for number in range(size.rules):
        channel = f"team-{number % size.channels}"
        if number % 10 == 9:
            first = found[-4]
            channel = first.channel if number % 20 == 9 else channel
            found.append(Rule(channel, first.project, ("*", "failed", "passed")))
        else:
            found.append(Rule(channel, names[number * 3 % len(names)], chance.choice(WORDS)))
    return found


def pushes(size: Size, chance: Random, rules: list[Rule]) -> list[Push]:
    """Return all pushes in order; those with rules are pushed to twice as often as others."""
    busy = [one.project for one in rules]
    names = [*projects(size), *dict.fromkeys(busy)]
    moments = sorted(chance.uniform(0, size.minutes * MINUTE) for _ in range(size.builds))
    return [_push(at, chance.choice(names), chance) for at in moments]


def _push(at: float, project: str, chance: Random) -> Push:
    course = chance.choice(COURSES)
    is_told = has_webhooks(project)
    return Push(
        at,
        project,
        chance.choice(BRANCHES),
        course,
        chance.uniform(SHORTEST, LONGEST),
        failing=tuple(sorted(chance.sample(NAMES, chance.randint(1, 3)))),
        is_rerun=course == "red" and is_told and chance.random() < RERUN_SHARE,
        is_lost=chance.random() < LOST_SHARE,
        deliveries=2 if chance.random() < DOUBLED_SHARE else 1,
    )


def scenario(push: Push, times: int) -> Scenario:
    """Return what CircleCI does for a push, so many times faster."""
    took = max(2, round(push.seconds / times))
    return Scenario(tuple(_workflows(push, took)), config_error=_ERROR if push.course == "refused" else "")


_ERROR = "Error calling workflow: 'build'\nCannot find a definition for job 'tset'"


def _workflows(push: Push, took: int) -> Iterator[WorkflowPlan]:
    if push.course == "refused":
        return
    setup = max(1, took // 4) if push.course == "setup" else 0
    if setup:
        yield WorkflowPlan("setup", (JobPlan("generate-config", seconds=setup),), starts_after=0, setup=True)
    failing = push.failing if push.course == "red" else ()
    tests = tuple(TestPlan(name, "tests/test_pages.py", "expected 2" if name in failing else "") for name in NAMES)
    log = ("$ pytest", *(f"FAILED tests/test_pages.py::{name}" for name in failing))
    ends = "failed" if failing else "success"
    jobs = [JobPlan("lint", seconds=max(1, took // 3)), JobPlan("test", took - setup, ends, tests=tests, log=log)]
    if push.course == "hold":
        jobs.append(JobPlan("go", 0, requires=("test",), approval=True))
    yield WorkflowPlan("build", tuple(jobs), starts_after=setup + 1 if setup else 0)
