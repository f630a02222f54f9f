"""What a build that is over means for its branch: each event, in every order, with reruns and what is no news."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models.build import Build, Run
from bot.models.circleci import Job, JobId, Pipeline, ProjectSlug, Workflow
from bot.models.red import Branch
from bot.models.subscription import Event
from bot.watching.branches import MOST_TOLD, decide, is_red, judged_key, said_key, was_there

START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
BROKE, FIXED, STILL_RED, FAILED, PASSED = [*Event][:5]
ALL = frozenset(Event)
NEW = Branch(channel_id="C0", project_slug=ProjectSlug("gh/acme/backend"), branch="main")
CONFIG = ({"type": "config", "message": "no such job"},)


def build(number: int, status: str = "failed", attempt: int = 1, **pipeline: object) -> Build:
    """Return a build in an attempt that is over; each was read a minute after the one before it."""
    fields = {"id": f"p{number}", "number": number, "project_slug": "gh/acme/backend", "created_at": START}
    vcs = {"branch": "main", "revision": "9f1c2d7a", "commit": {"subject": "Round prices"}}
    ended = START + timedelta(hours=number, minutes=attempt)
    workflow = {"id": f"w{number}.{attempt}", "name": "build", "status": status, "created_at": START}
    runs = (Run(workflow=Workflow.model_validate({**workflow, "stopped_at": ended}), attempt=attempt),)
    read = Pipeline.model_validate({"state": "created", "vcs": vcs, **fields, **pipeline})
    return Build(pipeline=read, runs=runs if status else (), read_at=ended)


def judged(*builds: Build, state: Branch = NEW) -> tuple[list[Event | None], Branch]:
    happened: list[Event | None] = []
    for one in builds:
        found = decide(state, one, ALL)
        state = found.state
        happened.append(found.happened)
    return happened, state


@pytest.mark.parametrize(
    ("builds", "happened", "red_since", "count"),
    [
        ([build(1)], [BROKE], 1, 1),
        ([build(1, "success")], [PASSED], 0, 0),
        ([build(1, "success"), build(2)], [PASSED, BROKE], 2, 1),
        ([build(1), build(2)], [BROKE, STILL_RED], 1, 2),
        ([build(1), build(2), build(3, "success")], [BROKE, STILL_RED, FIXED], 0, 0),
        ([build(1), build(2, "success"), build(3, "success")], [BROKE, FIXED, PASSED], 0, 0),
        # The same attempt is judged once, whoever read it again.
        ([build(1), build(1)], [BROKE, None], 1, 1),
        ([build(1, "success"), build(1, "success")], [PASSED, None], 0, 0),
        # Reruns of the build belong to it.
        ([build(1), build(1, attempt=2)], [BROKE, STILL_RED], 1, 1),
        ([build(1), build(1, "success", 2)], [BROKE, FIXED], 0, 0),
        ([build(1, "success"), build(1, "failed", 2)], [PASSED, BROKE], 1, 1),
        ([build(1), build(1, "success", 2), build(1)], [BROKE, FIXED, None], 0, 0),
        ([build(1, attempt=2), build(1, "success")], [BROKE, None], 1, 1),
        ([build(1), build(1, "canceled", 2)], [BROKE, None], 1, 1),
        # What is older than what is known is news of that build alone; what failed since the branch broke counts.
        ([build(2, "success"), build(1)], [PASSED, FAILED], 0, 0),
        ([build(2), build(1, "success")], [BROKE, PASSED], 2, 1),
        ([build(1), build(3), build(2)], [BROKE, STILL_RED, FAILED], 1, 3),
        ([build(1), build(3), build(2), build(2)], [BROKE, STILL_RED, FAILED, None], 1, 3),
        ([build(1), build(3), build(2), build(2, attempt=2)], [BROKE, STILL_RED, FAILED, FAILED], 1, 3),
        ([build(1), build(3), build(2, "success"), build(2, attempt=2)], [BROKE, STILL_RED, PASSED, FAILED], 1, 3),
        ([build(2), build(1)], [BROKE, FAILED], 2, 1),
        ([build(1), build(3), build(1, "success", 2)], [BROKE, STILL_RED, PASSED], 1, 2),
        (
            [build(1, "success"), build(3, "success"), build(2), build(1, "success")],
            [PASSED, PASSED, FAILED, None],
            0,
            0,
        ),
        # What is cancelled, replaced, or ran nothing, says nothing.
        ([build(1), build(2, "canceled"), build(3)], [BROKE, None, STILL_RED], 1, 2),
        ([build(1), build(2, "not_run"), build(3, "success")], [BROKE, None, FIXED], 0, 0),
        ([build(1, "success"), build(2, "canceled")], [PASSED, None], 0, 0),
        ([build(1, "running")], [None], 0, 0),
        ([build(1, "")], [None], 0, 0),
        # What CircleCI could not even begin leaves it red.
        ([build(1, "", errors=CONFIG)], [BROKE], 1, 1),
        ([build(1, "error")], [BROKE], 1, 1),
        ([build(1, "unauthorized")], [BROKE], 1, 1),
        ([build(1, "", errors=CONFIG), build(2, "success")], [BROKE, FIXED], 0, 0),
    ],
)
def test_what_happened(builds: list[Build], happened: list[Event | None], red_since: int, count: int) -> None:
    found, state = judged(*builds)
    assert (found, state.red_since, state.builds) == (happened, red_since, count)


HELD = [("failed", "on_hold"), ("error", "success", "on_hold"), ("unauthorized", "on_hold", "on_hold")]


@pytest.mark.parametrize("statuses", HELD)
def test_what_failed_beside_one_on_hold_leaves_the_branch_red_whatever_is_approved(statuses: Sequence[str]) -> None:
    held = held_at(*statuses)
    approved = held_at(*("success" if status == "on_hold" else status for status in statuses))
    found, state = judged(build(1, "success"), held, approved)
    assert (found, state.red_since, state.builds) == ([PASSED, BROKE, None], 2, 1)


@pytest.mark.parametrize("status", ["running", "failing", "queued", "on_hold"])
def test_what_runs_beside_one_that_failed_says_nothing_so_far(status: str) -> None:
    assert is_red(held_at("on_hold", status)) is None
    assert status == "on_hold" or is_red(held_at("failed", "on_hold", status)) is None


def held_at(*statuses: str) -> Build:
    runs = [build(2, status).runs[0] for status in statuses]
    each = {"name": "w", "id": "w"}
    named = [
        run.model_copy(
            update={"workflow": run.workflow.model_copy(update={key: f"{value}{nth}" for key, value in each.items()})}
        )
        for nth, run in enumerate(runs)
    ]
    return build(2).model_copy(update={"runs": tuple(named)})


def stands(number: int, statuses: dict[str, str], jobs: dict[str, str], attempt: int = 1) -> Build:
    """Return a build with workflows that stand so, each with the job `test` and a hold; and others by name."""
    (one,) = build(number, "failed", attempt).runs
    runs = []
    for name, status in statuses.items():
        workflow = one.workflow.model_copy(update={"id": f"{name}{number}.{attempt}", "name": name, "status": status})
        made = [Job(id=JobId(f"{job}{number}"), name=job, status=how) for job, how in jobs.items()]
        runs.append(one.model_copy(update={"workflow": workflow, "jobs": tuple(made)}))
    return build(number, "failed", attempt).model_copy(update={"runs": tuple(runs)})


BROKEN = stands(1, {"build": "failed"}, {"test": "failed", "lint": "success"})


@pytest.mark.parametrize(
    ("statuses", "jobs", "is_repaired"),
    [
        ({"build": "on_hold"}, {"test": "success", "hold": "on_hold"}, True),
        ({"build": "on_hold"}, {"lint": "success", "hold": "on_hold"}, False),  # what had failed did not run so far
        ({"build": "on_hold"}, {"test": "blocked", "hold": "on_hold"}, False),
        ({"build": "success", "other": "on_hold"}, {"test": "success"}, True),
        ({"other": "on_hold"}, {"test": "success"}, False),  # of another workflow
        ({"build": "on_hold", "other": "running"}, {"test": "success"}, False),
        ({"build": "on_hold", "other": "canceled"}, {"test": "success"}, False),
        ({"build": "on_hold", "other": "failed"}, {"test": "success"}, False),
    ],
)
def test_what_had_failed_and_passes_before_a_hold_has_repaired_the_branch(
    statuses: dict[str, str], jobs: dict[str, str], is_repaired: bool
) -> None:
    held = stands(2, statuses, jobs)
    happened, state = judged(BROKEN, held)
    assert (happened[-1] is FIXED, state.is_red) == (is_repaired, not is_repaired)
    assert (
        judged(held, stands(1, {"build": "on_hold"}, {"test": "success"}))[0][-1] is None
    )  # it was green, or is older


def test_what_waited_and_is_approved_ends_as_any_other() -> None:
    held = stands(2, {"build": "on_hold"}, {"test": "success", "hold": "on_hold"})
    for status, happened in (("success", PASSED), ("failed", BROKE), ("canceled", None)):
        ended = stands(2, {"build": status}, {"test": "success", "hold": "success"})
        found, state = judged(BROKEN, held, held, ended, ended)
        assert found == [BROKE, FIXED, None, happened, None]
        assert (state.is_red, state.red_since) == (happened is BROKE, 2 if happened is BROKE else 0)
    again = stands(1, {"build": "on_hold"}, {"test": "success"}, attempt=2)
    assert judged(BROKEN, again)[0] == [BROKE, FIXED]


def test_of_each_build_an_older_one_is_told_and_once() -> None:
    state = judged(build(5))[1]
    for one, wanted, told in ((4, {FAILED}, True), (3, {BROKE, STILL_RED, PASSED}, False), (4, {FAILED}, False)):
        found = decide(state, build(one), wanted)
        state = found.state
        assert found.is_told is told


@pytest.mark.parametrize(("newest", "red_since"), [("success", 0), ("failed", 4)])
def test_what_was_there_is_known_by_its_newest_in_whatever_order(newest: str, red_since: int) -> None:
    builds = [build(1), build(2, "success"), build(3), build(4, newest), build(4, "canceled", 2)]
    for order in permutations(builds):
        state = NEW
        for one in (*order, *order):
            state = was_there(state, one)
        assert (state.number, state.red_since, state.builds) == (4, red_since, int(red_since > 0))
        assert decide(state, build(5, "success"), {FIXED}).is_told is (red_since > 0)


def test_superseded_is_no_news() -> None:
    replaced = build(2, "canceled").model_copy(update={"superseded_by": 3})
    assert judged(build(1), replaced)[0] == [BROKE, None]


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({BROKE}, [BROKE]),
        ({FIXED}, [FIXED]),
        ({STILL_RED}, [STILL_RED]),
        ({FAILED}, [BROKE, STILL_RED]),
        ({PASSED}, [PASSED, FIXED, PASSED]),
        ({BROKE, FIXED}, [BROKE, FIXED]),
        (set(Event), [PASSED, BROKE, STILL_RED, FIXED, PASSED]),
        (set[Event](), []),
    ],
)
def test_who_wants_an_event_is_told_that_and_no_other(wanted: set[Event], told: list[Event]) -> None:
    state, said = NEW, []
    for one in (build(1, "success"), build(2), build(3), build(4, "success"), build(5, "success")):
        happened, is_told, state, _ = decide(state, one, wanted)
        said += [happened] if is_told else []
    assert said == told


def test_what_was_posted_is_no_build() -> None:
    """It was cut off after the post: the second run finds the same, and counts it once."""
    _, red = judged(build(1))
    cut_off = red.model_copy(update={"told": red.told | {said_key(build(2))}})
    assert decide(cut_off, build(2), ALL).state == decide(red, build(2), ALL).state


def test_of_a_branch_that_stays_red_for_ever_little_is_kept() -> None:
    _, state = judged(*map(build, range(1, 3 * MOST_TOLD)))
    assert len(state.told) == MOST_TOLD
    assert (state.red_since, state.builds) == (1, 3 * MOST_TOLD - 1)
    assert decide(state, build(2, attempt=2), ALL).state.builds == state.builds


STATUSES = ("failed", "success", "canceled", "not_run", "error", "running")


@st.composite
def told_in_some_order(draw: st.DrawFn) -> Sequence[Build]:
    """Draw builds with their attempts, judged in any order, some more than once."""
    statuses = st.lists(st.lists(st.sampled_from(STATUSES), min_size=1, max_size=3), min_size=1, max_size=5)
    every = [
        build(number, status, attempt)
        for number, attempts in enumerate(draw(statuses), start=1)
        for attempt, status in enumerate(attempts, start=1)
    ]
    again = draw(st.lists(st.sampled_from(every), max_size=4))
    return draw(st.permutations([*every, *again]))


@given(told_in_some_order())
def test_in_whatever_order_the_last_word_is_true_and_nothing_is_said_twice(builds: Sequence[Build]) -> None:
    state, said, last = NEW, list[str](), dict[str, bool]()
    for one in builds:
        happened, _, state, is_late = decide(state, one, ALL)
        if happened is not None:
            said.append(judged_key(one))
        if happened is not None and not is_late:
            last["red"] = happened in (BROKE, STILL_RED)
        saying = [each for each in builds[: builds.index(one) + 1] if is_red(each) is not None]
        if saying and len(builds) == len(set(map(judged_key, builds))):
            newest = max(saying, key=lambda each: (each.pipeline.number, each.read_at))
            assert (state.is_red, last["red"]) == (is_red(newest), is_red(newest))
    assert len(said) == len(set(said))
    if telling := [one for one in builds if is_red(one) is not None]:
        newest = max(telling, key=lambda one: (one.pipeline.number, one.read_at))
        assert (state.is_red, last["red"], state.number) == (is_red(newest), is_red(newest), newest.pipeline.number)
        assert state.is_red or (state.builds, state.root_ts, state.looking) == (0, None, "")
