"""What waits for somebody: a question that they are to answer, or what they can agree to as the second person."""

from collections.abc import Awaitable, Callable

from bot.answers.mine import MyWait
from bot.models.attempt import Demand
from bot.models.caller import Caller
from bot.models.pending import Approval, Pending, Rerun, Wish
from bot.policy import Word

May = Callable[[Caller, str, Wish], Awaitable[bool]]


async def concerns(pending: Pending, caller: Caller, may: May) -> bool:
    """Say whether somebody asked for it, or can let it happen as the second person."""
    if pending.asker.person_id == caller.person_id:
        is_asked = bool(pending.open or pending.choices)  # with nothing open it is on its way
        return is_asked and await may(caller, Word.READ, pending.wish)
    if not waits_for_a_second(pending) or pending.request_ts is None:
        return False
    there = caller.model_copy(update={"place": pending.asker.place})  # it is agreed to where it stands
    also = (Word.SSH,) if isinstance(pending.wish, Rerun) and pending.wish.ssh else ()
    return all([await may(there, word, pending.wish) for word in (pending.wish.kind, *also, Word.READ)])


def waits_for_a_second(pending: Pending) -> bool:
    """Say whether it is a second person whose word is next."""
    return pending.open[:1] == (Demand.SECOND_PERSON,)


def as_wait(pending: Pending, caller: Caller, url: str = "") -> MyWait:
    """Return it as it concerns somebody. What they are to answer was whispered: its line has it asked again."""
    is_own, wish = pending.asker.person_id == caller.person_id, pending.wish
    waits_for_another = is_own and waits_for_a_second(pending)
    where = pending.asker.channel_id
    here = where == caller.channel_id
    is_reached = here or (caller.place is not None and caller.place.is_direct and not where.startswith("D"))
    return MyWait(
        kind=wish.kind,
        target=pending.target,
        job_name=wish.job_name if isinstance(wish, Approval) else "",
        waits_for="else" if waits_for_another else "me",
        asker_name="" if is_own else pending.asker.called,
        until=pending.expires_at,
        url=url,
        line=wish.typed if is_own and not waits_for_another else "",
        channel_id="" if here else where,
        is_reached=is_reached,
    )
