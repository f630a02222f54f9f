"""Whose deploy of the same branch still runs: what the store knows, without a word to CircleCI."""

from datetime import timedelta

from bot.models.attempt import Attempt
from bot.models.build import State
from bot.models.caller import Caller
from bot.models.pending import Deployment, Pending, Wish
from bot.models.slack import utc_now
from bot.operations.hands import Hands

ON_ITS_WAY = timedelta(minutes=2)  # so long a deploy may take to have a number
GOES_ON = frozenset({State.WAITING, State.RUNNING, State.UNKNOWN})  # what is on hold may be so for days


async def still_running(hands: Hands, caller: Caller, wish: Wish, pending: Pending | None) -> Attempt | None:
    """Return somebody else's deploy of the same branch or tag, if one still runs and the caller may look at it.

    It is asked about once, before anything else is: whoever answers what is asked later need not know of it.
    """
    if not isinstance(wish, Deployment) or caller.is_bot or not _may_be_asked(pending):
        return None
    for attempt in await hands.store.attempts.lately_of(wish.project_slug, wish.ref):
        if attempt.asker_id not in ("", caller.person_id) and await _runs(hands, attempt):
            readable = await hands.finder.may_read(caller, wish.project_slug, wish.ref)
            return attempt if readable else None
    return None


def _may_be_asked(pending: Pending | None) -> bool:
    return pending is None or not (pending.met or pending.agreed or pending.request_ts)


async def _runs(hands: Hands, attempt: Attempt) -> bool:
    if attempt.over:
        return False
    if attempt.pipeline_id is None:
        return utc_now() - attempt.asked_at < ON_ITS_WAY
    watches = hands.store.watches
    if not await watches.is_watched(attempt.pipeline_id):
        return False
    build = (await watches.last_look(attempt.pipeline_id)).build
    return build is None or build.state in GOES_ON
