"""How a build stands to the one before it: broke, still broken, fixed. Pure."""

from collections.abc import Collection, Sequence

from bot.models.build import Build, Run
from bot.models.circleci import RED_WORKFLOW_STATUSES
from bot.models.history import PastBuild, Transition, Turn

DECIDED = frozenset({"success", *RED_WORKFLOW_STATUSES})


def transition(build: Build, before: Sequence[PastBuild]) -> Transition | None:
    """Compare a finished build with those of its branch before it, newest first, workflow by workflow.

    The worst news counts; it names its workflow where the builds before, as wholes, ended otherwise. None where no
    workflow of it has a result, or none had one before.
    """
    revision = build.pipeline.revision
    turns = [one for run in build.real_runs if (one := _of_workflow(run, before, revision)) is not None]
    order = [Turn.BROKE, Turn.STILL_BROKEN, Turn.FIXED, Turn.STILL_GREEN]
    found = min(turns, key=lambda one: (order.index(one.turn), -one.times), default=None)
    ends = [(past, past.is_red) for past in before if past.is_red or past.is_green]
    whole = _turned(ends, revision, is_red=build.is_red)
    return found.model_copy(update={"workflow": ""}) if found and _alike(found, whole) else found


def _alike(one: Transition, other: Transition | None) -> bool:
    return other is not None and (one.turn, one.times, one.since) == (other.turn, other.times, other.since)


def _of_workflow(run: Run, before: Sequence[PastBuild], revision: str) -> Transition | None:
    status, name = run.workflow.status, run.workflow.name
    if status not in DECIDED:
        return None
    ends = [(past, is_red) for past in before if (is_red := _ended_red(past, name)) is not None]
    turn = _turned(ends, revision, is_red=status in RED_WORKFLOW_STATUSES)
    return turn.model_copy(update={"workflow": name}) if turn else None


def _turned(ends: Sequence[tuple[PastBuild, bool]], revision: str, *, is_red: bool) -> Transition | None:
    """Return how something stands to how it ended before, and whether red; None where it never did."""
    if not ends:
        return None
    red: list[PastBuild] = []
    for past, was_red in ends:
        if not was_red:
            break
        red.append(past)
    since = red[-1].pipeline.number if red else None
    newest = ends[0][0].pipeline
    same = newest.number if revision and newest.revision == revision else None
    if is_red:
        turn = Turn.STILL_BROKEN if red else Turn.BROKE
        return Transition(turn=turn, times=len(red) + 1, since=since, same_commit_as=same)
    return Transition(turn=Turn.FIXED if red else Turn.STILL_GREEN, times=len(red), since=since, same_commit_as=same)


def _ended_red(past: PastBuild, name: str) -> bool | None:
    """Say whether a workflow of this name ended red there; None where it had no result."""
    status = next((run.workflow.status for run in past.newest if run.workflow.name == name), "")
    return status in RED_WORKFLOW_STATUSES if status in DECIDED else None


def same_failure(now: Collection[object], before: Collection[object]) -> bool:
    """Say whether exactly the same failed."""
    return bool(now) and set(now) == set(before)
