"""Whose deploy of the same branch still runs: what the store knows, without a word to CircleCI."""

from collections.abc import Collection
from datetime import timedelta

from bot.models.attempt import Attempt
from bot.models.build import State
from bot.models.caller import Caller
from bot.models.circleci import PipelineId
from bot.models.pending import Deployment, Pending, Wish
from bot.operations.hands import Hands

ON_ITS_WAY = timedelta(minutes=10)  # so long a deploy may take to be followed: it may wait for its turns at CircleCI
GOES_ON = frozenset({State.WAITING, State.RUNNING, State.UNKNOWN})  # what is on hold may be so for days


async def still_running(hands: Hands, caller: Caller, wish: Wish, pending: Pending | None) -> Attempt | None:
    """Return somebody else's deploy of the same branch or tag, if one still runs and the caller may look at it.

    It is asked about once, before anything else is: whoever answers what is asked later need not know of it.
    """
    return await unnamed(hands, caller, wish, ()) if _may_be_asked(pending) else None


async def unnamed(hands: Hands, caller: Caller, wish: Wish, named: Collection[str]) -> Attempt | None:
    """Return such a deploy that is not among those which the caller was `named` before."""
    if not isinstance(wish, Deployment):
        return None
    return await among(hands, caller, wish, await hands.store.attempts.lately_of(wish.project_slug, wish.ref), named)


async def among(
    hands: Hands, caller: Caller, wish: Deployment, lately: Collection[str], named: Collection[str]
) -> Attempt | None:
    """Return such a deploy among these of the branch."""
    if caller.is_bot:
        return None
    found = await hands.store.attempts.those([one for one in lately if one not in named])
    others = [one for one in found if one.asker_id not in ("", caller.person_id) and not one.over]
    watched = await hands.store.watches.watched(one.pipeline_id for one in others if one.pipeline_id)
    for other in others:
        if await _runs(hands, other, watched):
            return other if await hands.finder.may_read(caller, wish.project_slug, wish.ref) else None
    return None


def _may_be_asked(pending: Pending | None) -> bool:
    return pending is None or not (pending.met or pending.agreed or pending.request_ts)


async def _runs(hands: Hands, attempt: Attempt, watched: Collection[PipelineId]) -> bool:
    """Say whether a deploy is on its way, or what is polled of it has not ended, as far as the last look has seen."""
    if attempt.pipeline_id is None or attempt.pipeline_id not in watched:
        is_young = await hands.store.now() - attempt.asked_at < ON_ITS_WAY
        return is_young and not (attempt.pipeline_id and await hands.store.watches.any(attempt.pipeline_id))
    build = (await hands.store.watches.last_look(attempt.pipeline_id)).build
    return build is None or build.state in GOES_ON
