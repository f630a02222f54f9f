"""How a build stands to the one before it: broke, still broken, fixed. Pure."""

from collections.abc import Collection, Sequence

from bot.models.build import Build, Run
from bot.models.circleci import RED_WORKFLOW_STATUSES
from bot.models.history import PastBuild, Transition, Turn

DECIDED = frozenset({"success", *RED_WORKFLOW_STATUSES})


def transition(build: Build, before: Sequence[PastBuild]) -> Transition | None:
    """Compare a finished build with those of its branch before it, newest first, workflow by workflow.

    The worst news counts. None where no workflow of it has a result, or none had one before.
    """
    revision = build.pipeline.revision
    turns = [one for run in build.real_runs if (one := _of_workflow(run, before, revision)) is not None]
    order = [Turn.BROKE, Turn.STILL_BROKEN, Turn.FIXED, Turn.STILL_GREEN]
    return min(turns, key=lambda one: (order.index(one.turn), -one.times), default=None)


def _of_workflow(run: Run, before: Sequence[PastBuild], revision: str) -> Transition | None:
    if run.workflow.status not in DECIDED:
        return None
    ends = [(past, is_red) for past in before if (is_red := _ended_red(past, run.workflow.name)) is not None]
    if not ends:
        return None
    red: list[PastBuild] = []
    for past, is_red in ends:
        if not is_red:
            break
        red.append(past)
    since = red[-1].pipeline.number if red else None
    newest = ends[0][0].pipeline
    same = newest.number if revision and newest.revision == revision else None
    if run.workflow.status in RED_WORKFLOW_STATUSES:
        turn = Turn.STILL_BROKEN if red else Turn.BROKE
        return Transition(turn=turn, times=len(red) + 1, since=since, same_commit_as=same)
    return Transition(turn=Turn.FIXED if red else Turn.STILL_GREEN, times=len(red), since=since, same_commit_as=same)


def _ended_red(past: PastBuild, name: str) -> bool | None:
    """Say whether a workflow of this name ended red there; None where it had no result."""
    status = next((run.workflow.status for run in past.newest if run.workflow.name == name), "")
    return status in RED_WORKFLOW_STATUSES if status in DECIDED else None


def same_failure(now: Collection[str], before: Collection[str]) -> bool:
    """Say whether exactly the same failed."""
    return bool(now) and set(now) == set(before)
