"""What an act would ship and run by now, and whether its branch is green: a question shows it, and it is read again."""

from collections.abc import Sequence
from typing import assert_never

from bot.errors import NothingToDo
from bot.models.build import Build, Shipment, State
from bot.models.circleci import Pipeline, told_apart
from bot.models.pending import Approval, Cancellation, Deployment, Pending, Rerun, Seen, Wish
from bot.operations.hands import Hands
from bot.operations.targets import approving, cancelling, held_by, rerunning
from bot.together import together

MOST_LOOKED_AT = 8
MOST_READ, AT_ONCE, MOST_PAGES = 30, 5, 2  # of a branch's builds, to learn whether it is green
_OPEN = {State.WAITING, State.RUNNING, State.ON_HOLD, State.UNKNOWN}
UNDECIDED = frozenset({*_OPEN, State.CANCELED, State.SUPERSEDED})


async def seen_now(hands: Hands, wish: Wish) -> Seen:
    """Return what would ship and run by now."""
    return await seen_in(hands, wish, await pipelines_of(hands, wish))


async def seen_in(hands: Hands, wish: Wish, pipelines: Sequence[Pipeline]) -> Seen:
    """Return the same, where the pipelines of its branch are read already."""
    newest = {"revision": pipelines[0].revision, "newest_number": pipelines[0].number} if pipelines else {}
    match wish:
        case Deployment():
            return Seen(**newest, definition=await _definition(hands, wish))
        case Rerun() | Approval() | Cancellation():
            return seen_of(await hands.reads.build(wish.pipeline_id), wish).model_copy(update=newest)
    assert_never(wish)


def seen_of(build: Build, wish: Rerun | Approval | Cancellation) -> Seen:
    """Return what an act on this build would run or stop."""
    match wish:
        case Rerun():
            return Seen(fingerprint=build.fingerprint, runs=rerunning(build, wish))
        case Approval():
            run, _ = held_by(build, wish.approval_request_id)
            return Seen(fingerprint=run.workflow.id, runs=approving(build, wish.approval_request_id))
        case Cancellation():
            return Seen(stops=cancelling(build))
    assert_never(wish)


def refuse_unseen(pending: Pending | None, build: Build, wish: Rerun | Approval | Cancellation) -> None:
    """Raise NothingToDo where somebody agreed to an act, and the build that it acts on is not what they saw.

    It was read once more after their press, which may have taken a while.
    """
    if pending is None or pending.agreed is None:
        return
    seen = pending.seen.model_copy(update={"revision": ""})  # of the branch, which was asked about at the press
    if not seen.is_still(seen_of(build, wish)):
        raise NothingToDo("not_what_was_seen", what=pending.target)


async def _definition(hands: Hands, wish: Deployment) -> str:
    """Return what the pipeline definition that would run is called, empty text for a project that knows none."""
    if not wish.definition_id:
        return ""
    project = await hands.reads.project(wish.project_slug)
    names = told_apart(await hands.reads.definitions(project.id))
    return names.get(wish.definition_id) or wish.definition_id


async def shipped(hands: Hands, pipelines: Sequence[Pipeline]) -> Shipment:
    """Return what CircleCI knows of what will ship: the commits it built on the branch since the last green."""
    outlines = await together(*(hands.reads.outline(pipeline) for pipeline in pipelines[:MOST_LOOKED_AT]))
    green = next((number for number, one in enumerate(outlines) if one.state is State.PASSED), None)
    since = outlines if green is None else outlines[:green]
    return Shipment(
        commits=tuple(one.pipeline for one in since), green=None if green is None else outlines[green].pipeline
    )


async def colour(hands: Hands, wish: Wish) -> tuple[bool, Build | None]:
    """Say whether the newest build of the branch that decides is green, and return it where it is red.

    Where none of the newest does, it is not green. A tag is built once and has no history.
    """
    if wish.ref is None or wish.ref.is_tag:
        return True, None
    pipelines = (await hands.reads.pipelines(wish.project_slug, wish.ref.name, MOST_PAGES))[:MOST_READ]
    for start in range(0, len(pipelines), AT_ONCE):
        step = pipelines[start : start + AT_ONCE]
        for outline in await together(*(hands.reads.outline(pipeline) for pipeline in step)):
            if decides(outline):
                is_green = outline.state is State.PASSED
                return is_green, None if is_green else await hands.reads.build(outline.pipeline.id)
    return False, None


def decides(build: Build) -> bool:
    """Say whether a build says if its branch is green: it passed, or something of it failed already.

    What is not finished or was cancelled says nothing as long as nothing failed, nor does what no workflow matched.
    """
    matched_none = build.never_began and not build.is_refused
    return build.is_red or (build.state not in UNDECIDED and not matched_none)


async def pipelines_of(hands: Hands, wish: Wish) -> tuple[Pipeline, ...]:
    """Return what CircleCI built on the branch of an act, the newest first; nothing where that says nothing of it."""
    if wish.ref is None or wish.ref.is_tag or isinstance(wish, Cancellation):
        return ()
    return await hands.reads.pipelines(wish.project_slug, wish.ref.name)
