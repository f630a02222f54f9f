"""An hour of pushes, as data: projects, what channels subscribe to, and builds. Pure, but for its chance."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from playground.circleci.scenarios import JobPlan, Scenario, TestPlan, WorkflowPlan
from tests.oracle.news import Rule

MINUTE = 60
# Of what channels subscribe to: the usual words most often.
WORDS = (
    *((), ()),
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
REFUSED = "Error calling workflow: 'build'\nCannot find a definition for job 'tset'"


@dataclass(frozen=True)
class Size:
    """How much happens in how many minutes, and how many `times` faster than in life."""

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

    def __str__(self) -> str:
        """Return it for people."""
        return f"{self.builds} builds of {self.projects} projects in {self.minutes} minutes, {self.rules} subscriptions"


class Push(NamedTuple):
    """A push at second `at` of the hour, whose build takes so many `seconds`, and may be run again where it failed.

    The webhooks about it may get lost, or come as often as `deliveries` says.
    """

    at: float
    project: str
    branch: str
    course: str
    seconds: float
    failing: tuple[str, ...]
    is_rerun: bool
    is_lost: bool
    deliveries: int

    @property
    def outcome(self) -> str:
        """How its end leaves its branch; empty text where it says nothing of that."""
        return {"red": "red", "refused": "red", "green": "green", "setup": "green"}.get(self.course, "")

    @property
    def is_told(self) -> bool:
        """Say whether a webhook tells of its end: of an error of the configuration CircleCI sends none."""
        return has_webhooks(self.project) and not self.is_lost and self.course != "refused"


def projects(size: Size) -> list[str]:
    """Return their names."""
    return [f"acme/p{number:03}" for number in range(size.projects)]


def has_webhooks(project: str) -> bool:
    """Say whether somebody has set up the webhooks of a project: of each second one."""
    return int(project[-3:]) % 2 == 0


def subscriptions(size: Size, chance: Random) -> list[Rule]:
    """Return what channels subscribe to: each tenth is the second one of its project, in the same channel or not."""
    names, found = chance.sample(projects(size), size.rules), list[Rule]()
    for number in range(size.rules):
        channel = f"team-{number % size.channels}"
        if number % 10 == 9:
            first = found[-4]
            channel = first.channel if number % 20 == 9 else channel
            found.append(Rule(channel, first.project, ("*", "failed", "passed")))
        else:
            found.append(Rule(channel, names[number], chance.choice(WORDS)))
    return found


def pushes(size: Size, chance: Random, rules: list[Rule]) -> list[Push]:
    """Return all pushes in order; to projects with subscribers somebody pushes twice as often as to others."""
    names = [*projects(size), *dict.fromkeys(rule.project for rule in rules)]
    moments = sorted(chance.uniform(0, size.minutes * MINUTE) for _ in range(size.builds))
    return [_push(at, chance.choice(names), chance) for at in moments]


def _push(at: float, project: str, chance: Random) -> Push:
    course, is_lost = chance.choice(COURSES), chance.random() < LOST_SHARE
    return Push(
        at,
        project,
        chance.choice(BRANCHES),
        course,
        chance.uniform(SHORTEST, LONGEST),
        failing=tuple(sorted(chance.sample(NAMES, chance.randint(1, 3)))),
        # Without a webhook nobody is told of a rerun within that hour.
        is_rerun=course == "red" and has_webhooks(project) and not is_lost and chance.random() < RERUN_SHARE,
        is_lost=is_lost,
        deliveries=2 if chance.random() < DOUBLED_SHARE else 1,
    )


def scenario(push: Push, times: int) -> Scenario:
    """Return what CircleCI does for a push, so many times faster."""
    if push.course == "refused":
        return Scenario(config_error=REFUSED)
    return Scenario(tuple(_workflows(push, max(4, round(push.seconds / times)))))


def _workflows(push: Push, seconds: int) -> Iterator[WorkflowPlan]:
    setup = seconds // 4 if push.course == "setup" else 0
    if setup:
        yield WorkflowPlan("setup", (JobPlan("generate-config", seconds=setup),), starts_after=0, setup=True)
    failing = push.failing if push.course == "red" else ()
    tests = tuple(TestPlan(name, "tests/test_pages.py", "expected 2" if name in failing else "") for name in NAMES)
    log = ("$ pytest", *(f"FAILED tests/test_pages.py::{name}" for name in failing))
    test = JobPlan("test", seconds - setup, "failed" if failing else "success", tests=tests, log=log)
    jobs = [JobPlan("lint", seconds // 3), test]
    if push.course == "hold":
        jobs.append(JobPlan("go", 0, requires=("test",), approval=True))
    yield WorkflowPlan("build", tuple(jobs), starts_after=setup + 1 if setup else 0)
