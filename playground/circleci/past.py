"""A past to look back on: builds that failed and passed long before anybody came."""

from dataclasses import dataclass, replace
from functools import cache

from playground.circleci.scenarios import FRONTEND_TESTS, JobPlan, Scenario, TestPlan, WorkflowPlan

SUITE = (
    TestPlan("test_total_is_exact", "tests/test_cart.py"),
    TestPlan("test_charges_once", "tests/test_payment.py"),
    TestPlan("test_search_finds_umlauts", "tests/test_search.py"),
    TestPlan("test_session_expires", "tests/test_login.py"),
    *(TestPlan(f"test_endpoint_{number:02}", f"tests/test_api_{number % 5}.py") for number in range(40)),
)
MESSAGE = "AssertionError: expected 200, got 503"


@dataclass(frozen=True)
class PastPlan:
    """A build: the tests that failed in each of its attempts; with a `log` it failed without any test."""

    failing: tuple[frozenset[str], ...] = (frozenset(),)
    revision: str = ""
    suite: tuple[TestPlan, ...] = SUITE
    log: tuple[str, ...] = ()


@cache
def scenario_of(plan: PastPlan, *, workflow: str = "build-test", job: str = "test", seconds: int = 90) -> Scenario:
    """Return the course of a build: one job, run once for each attempt, and a deploy behind it."""
    runs = [WorkflowPlan(workflow, jobs(plan, failing, job=job, seconds=seconds)) for failing in plan.failing]
    return Scenario((runs[0],), rerun=(runs[-1],))


def jobs(plan: PastPlan, failing: frozenset[str], *, job: str, seconds: int) -> tuple[JobPlan, ...]:
    """Return the job with its test results, and the one behind it."""
    found = tuple(replace(test, message=MESSAGE if test.name in failing else "") for test in plan.suite)
    red = bool(failing or plan.log)
    one = JobPlan(job, seconds=seconds, ends="failed" if red else "success", tests=() if plan.log else found)
    return (
        replace(one, log=plan.log or ("$ pytest", f"{len(failing)} failed"), failing=(0,) if red else ()),
        JobPlan("deploy", seconds=30, requires=(job,)),
    )


def _red(*names: str, again: tuple[str, ...] | None = None, revision: str = "") -> PastPlan:
    attempts = (frozenset(names),) if again is None else (frozenset(names), frozenset(again))
    return PastPlan(attempts, revision)


_GREEN = PastPlan()
# Oldest first, ten builds. test_charges_once fails now and then, test_total_is_exact was broken once and repaired,
# test_search_finds_umlauts failed in three builds on code of its own.
BACKEND_PAST: tuple[PastPlan, ...] = (
    _red("test_charges_once", again=()),
    _GREEN,
    _red("test_search_finds_umlauts"),
    _red("test_charges_once", "test_total_is_exact", again=("test_total_is_exact",)),
    _red("test_total_is_exact"),
    _GREEN,
    _red("test_charges_once", "test_search_finds_umlauts"),
    _GREEN,
    _red("test_search_finds_umlauts"),
    _red("test_charges_once", again=()),
)


def _frontend(number: int) -> PastPlan:
    """One of forty builds: a password test that fails now and then, a time-out that is red since the last three."""
    red = frozenset({"test_timeout[slow-backend]"} if number >= 37 else ())
    if number % 6 == 3:
        flaky = red | {"test_rejects_bad_password"}
        return PastPlan((flaky, red) if number < 30 else (flaky,), suite=FRONTEND_TESTS)
    return PastPlan((red,), suite=FRONTEND_TESTS)


FRONTEND_PAST = tuple(_frontend(number) for number in range(40))
