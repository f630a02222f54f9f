"""What a channel itself is told of an act that is about it."""

import structlog

from bot.errors import NothingToDo, SlackError
from bot.models.caller import Caller, Place
from bot.operations.hands import Hands
from formatters.blocks import Message

log = structlog.get_logger(__name__)


async def place_of(hands: Hands, caller: Caller) -> Place:
    """Return the channel they speak in; raises NothingToDo where there is none, or none in which we are heard."""
    if caller.place is None:
        raise NothingToDo("no_channel")
    if not (caller.place.is_direct or await hands.messenger.is_in(caller.place.channel_id)):
        raise NothingToDo("not_in_channel")
    return caller.place


async def said(hands: Hands, once: str, place: Place, message: Message) -> bool:
    """Say it in the channel, unless a run of this delivery before has; False where nobody hears it but who asked."""
    if place.is_direct or await hands.store.claims.is_taken(once):
        return not place.is_direct
    try:
        await hands.messenger.post(place.channel_id, message)
    except SlackError as error:
        log.warning("channel_not_told", channel=place.channel_id, method=error.method, code=error.code)
        return False
    await hands.store.claims.first(once)
    return True
