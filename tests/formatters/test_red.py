"""The messages about a red branch, whatever its name, its commit and its tests are called."""

from datetime import timedelta

import pytest

from bot.models.build import Build, JobReport, Report, Run
from bot.models.circleci import Job, JobId, TestResult
from bot.models.red import Branch
from bot.models.subscription import Event
from formatters import red, told_events
from formatters.blocks import Message
from formatters.limits import violations
from formatters.links import Links
from tests.watching.test_branches import NEW, build

HOSTILE = "<!channel> *main* `x` @here ```\n:fire: " * 100
BROKE, FIXED, STILL_RED, _, PASSED = [*Event][:5]


def report(*names: str, more: int = 0) -> Report:
    tests = tuple(TestResult(name=name, file="tests/test_cart.py", classname="", result="failure") for name in names)
    failed = Job(id=JobId("j"), name=HOSTILE, status="failed")
    count = len(names) + more
    return Report(jobs=(JobReport(job=failed, workflow_name="w", failed_tests=tests, tests_failed=count),))


def every(state: Branch, seen: red.Seen) -> list[Message]:
    before = state.model_copy(update={"number": 1})
    apart = [red.message(one, before, state, seen, is_apart=True) for one in (STILL_RED, FIXED, PASSED)]
    below = [red.message(one, before, state, seen, is_apart=False) for one in (STILL_RED, FIXED)]
    return [red.root(state, seen, ["U0ADA", "S0WEB", HOSTILE]), red.repaired_root(state, seen), *apart, *below]


def test_hostile_and_huge_names_harm_nobody_and_fit() -> None:
    vcs = {"branch": HOSTILE, "revision": "9f1c2d7a", "commit": {"subject": HOSTILE}}
    failed = build(2, vcs=vcs, trigger={"type": "webhook", "actor": {"login": HOSTILE}})
    jobs = tuple(Job(id=JobId(f"j{nth}"), name=HOSTILE, status="failed") for nth in range(60))
    failed = failed.model_copy(update={"runs": (Run(workflow=failed.runs[0].workflow, jobs=jobs),)})
    state = NEW.model_copy(update={"branch": HOSTILE, "red_since": 1, "builds": 2, "looking": HOSTILE, "number": 2})
    for words in (report(*(f"{nth} {HOSTILE}" for nth in range(200))), Report()):
        for message in every(state, red.Seen(failed, words, HOSTILE, Links())):
            assert not violations(message)
            assert "<!channel" not in message.model_dump_json()
            assert "<!subteam^S0WEB" in message.model_dump_json() or "<@" not in message.model_dump_json()


def test_a_name_that_no_button_can_carry_has_none() -> None:
    failed = build(1)
    seen = red.Seen(failed, None, "acme/backend", Links())
    long = NEW.model_copy(update={"branch": "x" * 3000, "red_since": 1, "builds": 1})
    assert "I look at it" not in red.root(long, seen).model_dump_json()
    assert "I look at it" in red.root(long.model_copy(update={"branch": "main"}), seen).model_dump_json()


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (["a", "b"], ["b", "a"], "the same 2 tests"),
        (["a"], ["a"], "the same test"),
        (["a", "b"], ["a"], "1 of the 2 tests that had failed"),
        (["a", "b", "c"], ["a", "b"], "2 of the 3 tests that had failed"),
        (["a"], ["a", "b"], "1 new test (b), and 1 as before"),
        (["a"], ["b", "c"], "2 other tests (b, c)"),
    ],
)
def test_a_failure_is_told_beside_the_one_before(before: list[str], now: list[str], words: str) -> None:
    assert words in _still_red(red.failing(report(*before)), report(*now))


def test_where_not_all_tests_were_read_none_is_called_new_or_the_same() -> None:
    assert red.failing(report("a", more=1)) == frozenset()
    said = _still_red(red.failing(report("a")), report("a", more=1))
    assert not [word for word in ("same", "new", "other") if word in said]


def _still_red(before: frozenset[str], now: Report) -> str:
    state = NEW.model_copy(update={"red_since": 1, "builds": 2, "number": 1, "failing": before})
    seen = red.Seen(_named(build(2)), now, "acme/backend", Links())
    return red.message(STILL_RED, state, state, seen, is_apart=False).text


def _named(failed: Build) -> Build:
    jobs = (Job(id=JobId("j"), name="unit-tests", status="failed"),)
    return failed.model_copy(update={"runs": (Run(workflow=failed.runs[0].workflow, jobs=jobs),)})


@pytest.mark.parametrize(
    ("number", "words"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (21, "21st"), (112, "112th")]
)
def test_builds_are_counted_in_words(number: int, words: str) -> None:
    assert red._ordinal(number) == words


def test_what_was_fixed_says_after_how_long() -> None:
    green = build(3, "success")
    assert green.stopped_at is not None
    state = NEW.model_copy(update={"red_since": 1, "builds": 1, "red_at": green.stopped_at - timedelta(minutes=52)})
    said = red.repaired_root(state, red.Seen(green, None, "acme/backend", Links())).model_dump_json()
    assert "after 52 min" in said


def test_a_red_message_that_no_button_fits_into_has_no_empty_row_of_them() -> None:
    state = NEW.model_copy(update={"branch": "b" * 5000, "red_since": 1, "number": 1, "builds": 1})
    broken = build(1, "", vcs={"branch": "b" * 5000}, errors=({"type": "config", "message": "no such job"},))
    shown = red.root(state, red.Seen(broken, None, "acme/backend", Links()))
    assert len(shown.blocks) > 1
    assert [block for block in shown.blocks if block["type"] == "actions"] == []
    assert violations(shown) == []


def test_two_branches_whose_long_names_differ_at_the_end_have_two_heads() -> None:
    names = [f"feature/{'x' * 300}-for-{where}" for where in ("production", "staging")]
    states = [NEW.model_copy(update={"branch": name, "red_since": 1, "number": 2}) for name in names]
    seen = red.Seen(build(2), None, "acme/backend", Links())
    told = [[*every(one, seen), told_events.deployed(one.branch, seen=seen, jobs=(), is_apart=True)] for one in states]
    for first, second in zip(*told, strict=True):
        for one, other in ((first.text, second.text), (str(first.blocks[0]), str(second.blocks[0]))):
            assert (one != other) is ("feature/" in one)
