"""What waits for somebody: a question that they are to answer, or what they can agree to as the second person."""

from collections.abc import Awaitable, Callable, Collection, Iterable

from bot.answers.mine import MyWait
from bot.models.caller import Caller
from bot.models.pending import Approval, Pending, Rerun, Wish
from bot.policy import Word
from bot.whereabouts import Whereabouts

May = Callable[[Caller, str, Wish], Awaitable[bool]]


async def waiting_for(caller: Caller, pending: Iterable[Pending], may: May, whereabouts: Whereabouts) -> list[Pending]:
    """Return what waits for somebody: their own, and what was asked in a channel that they read."""
    found = [one for one in pending if await _concerns(one, caller, may)]
    channels = {caller.channel_id}
    if not all(_is_before(one, caller, channels) for one in found):
        channels |= await whereabouts.shared_with(caller.person_id)
    return [one for one in found if _is_before(one, caller, channels)]


def _is_before(pending: Pending, caller: Caller, channels: Collection[str]) -> bool:
    return pending.asker.person_id == caller.person_id or pending.asker.channel_id in channels


async def _concerns(pending: Pending, caller: Caller, may: May) -> bool:
    """Say whether somebody asked for it, or can let it happen as the second person if they read where it stands."""
    if pending.asker.person_id == caller.person_id:
        return pending.is_asked and await may(caller, Word.READ, pending.wish)
    if not (pending.waits_for_a_word and pending.is_asked):
        return False
    there = caller.model_copy(update={"place": pending.asker.place})  # it is agreed to where it stands
    also = (Word.SSH,) if isinstance(pending.wish, Rerun) and pending.wish.ssh else ()
    may_act = all([await may(there, word, pending.wish) for word in (pending.wish.kind, *also)])
    return may_act and await may(caller, Word.READ, pending.wish)  # it is read where they speak


def as_wait(pending: Pending, caller: Caller, url: str = "") -> MyWait:
    """Return it as it concerns somebody. What they are to answer was whispered: its line has it asked again."""
    is_own, wish = pending.asker.person_id == caller.person_id, pending.wish
    waits_for_another = is_own and pending.waits_for_a_word and pending.takes_two
    where = pending.asker.channel_id
    here = where == caller.channel_id
    is_reached = here or (caller.place is not None and caller.place.is_direct and not where.startswith("D"))
    return MyWait(
        kind=wish.kind,
        target=pending.target,
        job_name=wish.job_name if isinstance(wish, Approval) else "",
        waits_for="else" if waits_for_another else "me",
        asker_name="" if is_own and not pending.asker.agent else pending.asker.called,
        until=pending.expires_at,
        url=url,
        line=wish.typed if is_own and not pending.waits_for_a_word else "",
        channel_id="" if here else where,
        is_reached=is_reached,
    )
