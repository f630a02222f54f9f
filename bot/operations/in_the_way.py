"""What stands in the way of the same though nobody can let it happen: it ends once somebody else meets it."""

from bot.errors import NotAllowed
from bot.models.pending import Pending
from bot.models.slack import utc_now
from bot.operations.ending import EXPIRED, WORDS, decision, end
from bot.operations.hands import Hands
from bot.operations.standing import others
from formatters import endings, errors


async def clear(hands: Hands, pending: Pending) -> None:
    """End each request about the same whose asker surely may not do it any more, or that nobody was ever shown."""
    for one in await others(hands, pending.wish, pending.id):
        if one.was_left(utc_now()):
            await end(hands, one, endings.never_asked(one))
        elif one.request_ts is not None and (why := await _may_no_more(hands, one)):
            await _end(hands, one, why)


async def _may_no_more(hands: Hands, pending: Pending) -> str:
    """Return why its asker surely may not, as Slack and we know by now; empty text where they may."""
    asker, wish = pending.asker, pending.wish
    hands.permissions.forget_one(asker)
    return await hands.permissions.may_no_more(asker, WORDS[wish.kind], wish.project_slug, wish.ref)


async def _end(hands: Hands, pending: Pending, why: str) -> None:
    """Let it be over, unless somebody decides on it at this moment."""
    if await hands.store.claims.claim(decision(pending.id), EXPIRED) != EXPIRED:
        return
    error = NotAllowed(pending.asker.person_id, WORDS[pending.wish.kind], why, about=pending.target)
    error.is_of_another, error.agent, error.own = True, pending.asker.agent, pending.asker.own
    await end(hands, pending, endings.no_more(pending, errors.error(error).text), error)
