"""What stands behind a failing test, and above the evidence: read them as somebody at night would."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.models.build import Build, Run
from bot.models.circleci import Pipeline, Workflow
from bot.models.history import Advice, Extent, Transition, Turn
from bot.triage.advice import advise
from bot.triage.diagnosis import Triage
from bot.triage.verdicts import Kind, Verdict
from formatters.links import Links
from formatters.verdicts import (
    advice_line,
    counts_line,
    extent_line,
    ordinal,
    transition_line,
    usual_words,
    verdict_words,
)

NOW = datetime(2026, 11, 20, tzinfo=UTC)
PIPELINE = {"id": "p", "number": 2417, "project_slug": "gh/acme/frontend", "created_at": NOW}
BUILD = Build(pipeline=Pipeline.model_validate(PIPELINE), read_at=NOW)
URL = "https://app.circleci.com/pipelines/gh/acme/frontend"


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (Verdict(kind=Kind.NEW), "*new here*"),
        (Verdict(kind=Kind.NEW, since=2410), "*new here* since #2410"),
        (
            Verdict(kind=Kind.FLAKE, failed=7, looked=40, flips=5),
            "*known flake*, failed 7 of the last 40 builds, 5 times on code that also passed",
        ),
        (Verdict(kind=Kind.FLAKE, failed=3, looked=40), "*known flake*, failed 3 of the last 40 builds"),
        (
            Verdict(kind=Kind.FLAKE, looked=40, flips=1, passed_today=True),
            "*flaky*: it passed in another attempt of this build",
        ),
        (
            Verdict(kind=Kind.FLAKE, looked=40, flips=1, passed_in=2416),
            "*flaky*: it passed on the same commit in #2416",
        ),
        (Verdict(kind=Kind.FLAKE, looked=40, flips=1), "*flaky*: it passed on the same commit"),  # an earlier version's
        (
            Verdict(kind=Kind.FLAKE, failed=2, looked=17, flips=1, passed_in=2416),
            "*known flake*, failed 2 of the last 17 builds, and passed on the same commit in #2416",
        ),
        (Verdict(kind=Kind.RED_ON_BASE, since=1840), "*already red on main* since #1840"),
        (Verdict(kind=Kind.INFRASTRUCTURE, cause="no output"), "*likely infrastructure*: no output"),
        (Verdict(kind=Kind.NOT_SURE), "*not sure*: never seen before"),
        (Verdict(kind=Kind.NOT_SURE, failed=1, looked=12), "*not sure*: it failed in 1 of 12 builds before"),
    ],
)
def test_a_verdict_is_one_breath(verdict: Verdict, words: str) -> None:
    assert verdict_words(verdict, "main") == words


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_words_wherever_it_is_told(kind: Kind) -> None:
    tests = {str(number): Verdict(kind=kind) for number in range(5)}
    triage = Triage(extent=Extent(base="main"), tests=tests, advice=kind.advice, rerun_takes=timedelta(minutes=4))
    assert verdict_words(Verdict(kind=kind), "main")
    assert counts_line(triage).startswith("Of the failing tests: 5 ")
    assert advice_line(triage, Links(), BUILD) or kind is Kind.NOT_SURE  # of that nobody knows what helps


@pytest.mark.parametrize(
    ("transition", "line"),
    [
        (None, ""),
        (Transition(turn=Turn.STILL_GREEN), ""),
        (Transition(turn=Turn.BROKE, times=1), "It broke: the build before passed."),
        (
            Transition(turn=Turn.STILL_BROKEN, times=3, since=2415),
            f"Still broken, the 3rd time in a row, since <{URL}/2415|#2415>.",
        ),
        (
            Transition(turn=Turn.STILL_BROKEN, times=2, since=2416, same_as=2416),
            f"Still broken, exactly as in <{URL}/2416|#2416>: the 2nd time in a row.",
        ),
        (
            Transition(turn=Turn.BROKE, times=1, same_commit_as=2416),
            f"It broke on the same commit: <{URL}/2416|#2416> passed.",
        ),
        (
            Transition(turn=Turn.STILL_BROKEN, times=3, since=2414, unlike=2416),
            f"Red for the 3rd time in a row, since <{URL}/2414|#2414>, but not by what failed in <{URL}/2416|#2416>.",
        ),
        (
            Transition(turn=Turn.FIXED, times=3, since=1, same_commit_as=2416),
            f"Green again, on the same commit as <{URL}/2416|#2416>: it had been red for 3 builds, since <{URL}/1|#1>.",
        ),
        (
            Transition(turn=Turn.FIXED, times=1, since=2416),
            f"Fixed: it had been red for 1 build, since <{URL}/2416|#2416>.",
        ),
        (
            Transition(turn=Turn.BROKE, times=1, workflow="lint"),
            "The workflow lint broke: it passed when it last ran.",
        ),
        (
            Transition(turn=Turn.BROKE, times=1, workflow="lint", same_commit_as=2416),
            "The workflow lint broke on the same commit: it passed when it last ran.",
        ),
        (
            Transition(turn=Turn.STILL_BROKEN, times=2, since=2415, workflow="lint"),
            f"The workflow lint is red: the 2nd time in a row, since <{URL}/2415|#2415>.",
        ),
        (
            Transition(turn=Turn.FIXED, times=2, since=2415, workflow="lint"),
            f"The workflow lint passes again: it had failed 2 times in a row, since <{URL}/2415|#2415>.",
        ),
    ],
)
def test_a_transition_is_one_line(transition: Transition | None, line: str) -> None:
    assert transition_line(transition, BUILD, Links()) == line


def test_a_build_that_ran_again_is_none_of_those_that_were_red_before_it() -> None:
    """A message about its branch counts it among those, where it failed at first."""
    workflow = Workflow.model_validate({"id": "w", "name": "w", "status": "success", "created_at": BUILD.read_at})
    again = BUILD.model_copy(update={"runs": (Run(workflow=workflow, attempt=2),)})
    line = transition_line(Transition(turn=Turn.FIXED, times=2, since=2416), again, Links())
    assert line == f"Fixed: it had been red for 2 builds before this one, since <{URL}/2416|#2416>."


@pytest.mark.parametrize(
    ("advice", "kinds", "line"),
    [
        (
            Advice.RERUN,
            [Kind.FLAKE],
            "*Worth a rerun*: all that failed is flaky. It takes about 4 min.",
        ),
        (
            Advice.RERUN,
            [Kind.FLAKE, Kind.INFRASTRUCTURE],
            "*Worth a rerun*: all that failed is likely infrastructure or flaky. It takes about 4 min.",
        ),
        (Advice.OPEN_COMMIT, [Kind.NEW], "*Look at the commit*: something fails here that did not before."),
        (
            Advice.WAIT,
            [Kind.RED_ON_BASE],
            f"*Wait*: `main` is red since <{URL}/1840|#1840>. A rerun cannot help until that is repaired.",
        ),
        (Advice.LOOK, [Kind.NOT_SURE], "A rerun takes about 4 min."),
        (Advice.LOOK, [], ""),
    ],
)
def test_the_advice_says_why(advice: Advice, kinds: list[Kind], line: str) -> None:
    tests = {str(number): Verdict(kind=kind) for number, kind in enumerate(kinds)}
    takes = timedelta(minutes=4)
    triage = Triage(extent=Extent(base="main"), tests=tests, advice=advice, rerun_takes=takes, wait_for=1840)
    assert advice_line(triage, Links(), BUILD) == line


@pytest.mark.parametrize(
    ("triage", "words"),
    [
        (Triage(extent=Extent(base=""), problem="CircleCI did not answer"), "Not compared with earlier builds"),
        (Triage(extent=Extent(base="main")), "There are no earlier builds to compare with."),
        (
            Triage(extent=Extent(base="main", builds=50, with_data=12, unread=2), tests={"a": Verdict(kind=Kind.NEW)}),
            "this branch. 12 of them had test data. The results of 2 jobs could not be read.",
        ),
    ],
)
def test_how_much_was_looked_at_is_said(triage: Triage, words: str) -> None:
    assert words in extent_line(triage)["elements"][0]["text"]


def test_times_and_ordinals() -> None:
    usual = timedelta(seconds=90)
    assert usual_words(timedelta(seconds=100), usual) == " (as usual)"
    assert usual_words(timedelta(seconds=130), usual) == " (usually 1 min 30 s)"
    assert usual_words(timedelta(seconds=130), None) == ""
    assert [ordinal(number) for number in (1, 2, 3, 4, 11, 21, 112)] == [
        "1st",
        "2nd",
        "3rd",
        "4th",
        "11th",
        "21st",
        "112th",
    ]


def test_many_verdicts_are_counted_the_urgent_ones_first() -> None:
    kinds = [Kind.FLAKE, Kind.FLAKE, Kind.RED_ON_BASE, Kind.NEW, Kind.NOT_SURE]
    tests = {str(number): Verdict(kind=kind) for number, kind in enumerate(kinds)}
    words = "Of the failing tests: 1 new here, 1 not sure, 1 already red on main, 2 flaky."
    assert counts_line(Triage(extent=Extent(base="main"), tests=tests)) == words
    assert counts_line(Triage(extent=Extent(base="main"), tests={"a": Verdict(kind=Kind.NEW)})) == ""


def test_a_test_that_failed_in_two_jobs_is_one_test() -> None:
    tests = {f"job-{job}:{test}": Verdict(kind=Kind.NOT_SURE) for job in range(2) for test in range(3)}
    words = "Of the 6 failing results, of 3 tests: 6 not sure."
    assert counts_line(Triage(extent=Extent(base="main"), tests=tests)) == words


def test_what_looks_like_infrastructure_is_called_so_and_a_second_time_no_rerun_is_praised() -> None:
    once = Verdict(kind=Kind.INFRASTRUCTURE, cause="timed out")
    first = Triage(extent=Extent(base="main"), jobs={"j": once}, advice=advise([once]))
    assert advice_line(first, Links(), BUILD) == "*Worth a rerun*: it looks like infrastructure (timed out)."
    twice = once.model_copy(update={"attempts": 2})
    second = Triage(extent=Extent(base="main"), jobs={"j": twice}, advice=advise([twice]))
    said = "*Look at the log*: it failed in 2 attempts, so that a rerun may not help."
    assert advice_line(second, Links(), BUILD) == said


def test_what_failed_exactly_so_before_is_not_said_to_have_passed() -> None:
    before = Transition(turn=Turn.STILL_BROKEN, times=2, since=2416, same_as=2416)
    triage = Triage(extent=Extent(base="main"), transition=before, advice=Advice.OPEN_COMMIT)
    assert "did not before" not in advice_line(triage, Links(), BUILD)
