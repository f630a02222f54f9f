"""Of what was tried again the newest attempt counts: steps that CircleCI repeats, tests that a tool does."""

from datetime import UTC, datetime

import pytest

from bot.models.build import Build, Run
from bot.models.circleci import Action, Pipeline, Step, TestResult, Workflow
from bot.triage.attempts import as_it_was, newest_steps, settled
from bot.triage.keeping import failing, has_failed, has_passed, key, results


def step(name: str, *actions: tuple[int, int | None, bool]) -> Step:
    """Return a step; each action is its container, its attempt, and whether it failed."""
    return Step(
        name=name,
        actions=tuple(Action(index=index, auto_rerun_number=number, failed=bad) for index, number, bad in actions),
    )


@pytest.mark.parametrize(
    ("steps", "kept"),
    [
        # C62, as steps of their own
        (
            [step("install", (0, 0, True)), step("install", (0, 1, False)), step("test", (0, None, True))],
            [("install", [(0, 1)]), ("test", [(0, None)])],
        ),
        # as actions of one step
        ([step("install", (0, None, True), (0, 1, True), (0, 2, False))], [("install", [(0, 2)])]),
        # one container of two was repeated
        ([step("install", (0, 0, True), (1, 0, False), (0, 1, False))], [("install", [(1, 0), (0, 1)])]),
        # two steps may bear one name
        ([step("run", (0, None, False)), step("run", (0, None, True))], [("run", [(0, None)]), ("run", [(0, None)])]),
        (
            [step("run", (0, 0, True)), step("run", (0, 1, False)), step("run", (0, 0, True))],
            [("run", [(0, 1)]), ("run", [(0, 0)])],
        ),
        ([Step(name="no actions")], [("no actions", [])]),
    ],
    ids=["steps", "actions", "containers", "two of a name", "two of a name, one repeated", "nothing"],
)
def test_the_newest_attempt_of_a_step_counts(steps: list[Step], kept: list[tuple[str, list[object]]]) -> None:
    found = newest_steps(steps)
    assert [(one.name, [(each.index, each.auto_rerun_number) for each in one.actions]) for one in found] == kept


def attempt(number: int, name: str = "build") -> Run:
    when = datetime(2026, 11, 20, 10, number, tzinfo=UTC)
    data = {"id": f"{name}-{number}", "name": name, "status": "failed", "created_at": when}
    return Run(workflow=Workflow.model_validate(data))


def test_a_build_is_found_as_it_was_when_a_message_was_posted() -> None:
    attempts = [attempt(3), attempt(1), attempt(2, "lint"), attempt(5, "lint")]
    pipeline = {"id": "p", "number": 1, "project_slug": "gh/a/b", "created_at": "2026-11-20T10:00:00Z"}
    now = Build(pipeline=Pipeline.model_validate(pipeline), read_at=datetime(2026, 11, 20, 11, tzinfo=UTC))
    then = now.model_copy(update={"runs": (attempts[1], attempts[2])})
    found = as_it_was(now, attempts, then.mark)
    assert found
    assert found.fingerprint == "build-1,lint-2"
    assert as_it_was(now, attempts, "of another build") is None


def tried(*marks: str) -> list[TestResult]:
    """Return results by marks: `a-` failed, `a+` passed, `a.` was skipped; the message says which try it was."""
    ends = {"-": "failure", "+": "success", ".": "skipped"}
    return [TestResult(name=one[0], result=ends[one[1]], message=str(number)) for number, one in enumerate(marks)]


@pytest.mark.parametrize(
    ("marks", "failed", "flaky", "total"),
    [
        (("a-", "a-", "a-", "b+"), ["a2"], [], 2),
        (("a-", "a+", "b-"), ["b2"], ["a0"], 2),
        (("a+", "a-", "b+"), [], ["a1"], 2),
        (("a+", "a+", "b+"), [], [], 3),
        (("a.", "a-"), ["a1"], [], 1),
        ((), [], [], 0),
    ],
    ids=["all failed", "passed in the end", "failed in the end", "none failed", "skipped", "none"],
)
def test_a_test_that_was_tried_again_is_one_test(
    marks: tuple[str, ...], failed: list[str], flaky: list[str], total: int
) -> None:
    found = settled(tried(*marks))
    assert [f"{test.name}{test.message}" for test in found.failed] == failed
    assert [f"{test.name}{test.message}" for test in found.flaky] == flaky
    assert len(found.tests) == total
    assert results(tried(*marks), is_whole=True).total == total


def test_further_failures_of_one_name_are_counted_apart() -> None:
    counted = [settled(tried(*marks)).repeated for marks in (("a-", "a-", "b+"), ("a-", "a-", "a+"), ("a-", "b-"), ())]
    assert counted == [1, 0, 0, 0]


LONG = "renders " + "a very long list of everything " * 12


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"file": "a.test.js"}, {"file": "b.test.js"}),
        ({"file": "a.test.js", "classname": "App"}, {"file": "b.test.js", "classname": "App"}),
        ({"file": "a.test.js", "classname": "App"}, {"file": "a.test.js", "classname": "Cart"}),
        ({"name": f"{LONG}1"}, {"name": f"{LONG}2"}),
        ({"classname": f"{LONG}1"}, {"classname": f"{LONG}2"}),
        ({"file": f"{LONG}1"}, {"file": f"{LONG}2"}),
        ({"name": "ab", "classname": "c"}, {"name": "b", "classname": "ca"}),
    ],
    ids=["files", "files of one class", "classes of one file", "names", "long classes", "long files", "between two"],
)
def test_tests_that_are_called_alike_are_two_tests(one: dict[str, str], other: dict[str, str]) -> None:
    failed = TestResult.model_validate({"name": "renders", **one, "result": "failure"})
    passed = TestResult.model_validate({"name": "renders", **other, "result": "success"})
    found = settled([failed, passed])
    assert (found.failed, found.flaky, len(found.tests)) == ((failed,), (), 2)
    kept = results([failed, passed], is_whole=True)
    assert kept.total == 2
    assert [key(test) for test in failing(kept)] == [key(failed)]
    assert not has_failed(kept, key(passed))
    assert not has_passed(kept, key(failed))


def test_what_passed_when_it_was_tried_again_is_kept_as_both() -> None:
    kept = results(tried("a-", "a+", "b-"), is_whole=True)
    flake = key(TestResult(name="a"))
    assert has_failed(kept, flake)
    assert has_passed(kept, flake)
    assert [test.name for test in failing(kept)] == ["b"]
