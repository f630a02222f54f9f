"""What a channel itself is told of an act that is about it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from bot.errors import NothingToDo
from bot.models.caller import Caller, Place
from bot.models.slack import utc_now
from bot.operations.hands import Hands
from bot.store.unsaid import ToSay
from bot.watching.engine import SAY
from formatters.blocks import Message

LEASE = timedelta(seconds=60)


async def place_of(hands: Hands, caller: Caller, *, is_heard: bool = True) -> Place:
    """Return the channel they speak in; raises NothingToDo where there is none, or none in which we are heard.

    Where that `is_heard` does not matter, it may be one that we are not in.
    """
    if caller.place is None:
        raise NothingToDo("no_channel")
    if is_heard and not (caller.place.is_direct or await hands.messenger.is_in(caller.place.channel_id)):
        raise NothingToDo("not_in_channel")
    return caller.place


@asynccontextmanager
async def in_order(hands: Hands, place: Place) -> AsyncIterator[None]:
    """Let one at a time change what is a channel's, and note what is to be said of it: it is said in that order."""
    async with hands.store.unsaid.alone(place.channel_id, LEASE, wait=LEASE):  # without it the order alone is in doubt
        yield


async def to_be_said(hands: Hands, once: str, place: Place, message: Message) -> None:
    """Note what is to be said in the channel, unless a run of this delivery before has."""
    if not (place.is_direct or await hands.store.claims.is_taken(once)):
        await hands.store.unsaid.add(place.channel_id, ToSay(name=once, message=message))


async def said(hands: Hands, once: str, place: Place) -> bool:
    """Say what was noted; False where nobody has heard it by now but who asked. Slack may take it a little later."""
    if place.is_direct:
        return False
    if (pause := await hands.saying.say(place.channel_id, until=once)) is not None:
        await hands.engine.put(SAY, place.channel_id, when=utc_now() + pause)
    return await hands.store.claims.is_taken(once)
