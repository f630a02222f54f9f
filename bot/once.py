"""A post that is made once, also where its answer was lost, or a run before this one made it and died over it."""

import hashlib
from contextlib import suppress
from datetime import timedelta

from bot.errors import SlackError
from bot.messenger import Messenger
from bot.models.caller import Place
from bot.models.slack import utc_now
from bot.slack_calls import PATIENCE
from bot.store.claims import Claims
from formatters.blocks import Message

DAY = timedelta(days=1)
MARGIN = timedelta(minutes=1)  # between Slack's clock and ours


async def post_once(
    messenger: Messenger,
    claims: Claims,
    place: Place,
    message: Message,
    *,
    kind: str,
    name: str,
    patience: timedelta = PATIENCE,
) -> str:
    """Return the `ts` of a post of this kind and name; one that may stand there already is looked for by its mark.

    Raises SlackError.
    """
    mark = _mark(place, name)
    if not await claims.first(f"{kind}:{mark}", keep=DAY) and (
        found := await _found(messenger, claims, place, kind, mark)
    ):
        return found
    return await post_marked(messenger, place, message, mark, patience=patience)


async def posted(messenger: Messenger, claims: Claims, place: Place, *, kind: str, name: str) -> str | None:
    """Return the `ts` of a post of this kind and name that a run before made; None where it stands nowhere."""
    mark = _mark(place, name)
    return await _found(messenger, claims, place, kind, mark) if await claims.is_taken(f"{kind}:{mark}") else None


async def _found(messenger: Messenger, claims: Claims, place: Place, kind: str, mark: str) -> str | None:
    since = utc_now() - await claims.age(f"{kind}:{mark}", DAY) - MARGIN
    with suppress(SlackError):  # where we may not read, it is said again
        return await messenger.find(place, mark, since)
    return None


def _mark(place: Place, name: str) -> str:
    return hashlib.sha256(f"{place.channel_id}:{name}".encode()).hexdigest()[:16]


async def post_marked(
    messenger: Messenger, place: Place, message: Message, mark: str, *, patience: timedelta = PATIENCE
) -> str:
    """Return the `ts` of a post; where Slack's answer is lost, it is looked for by its mark. Raises SlackError."""
    try:
        return await messenger.post(place.channel_id, message, thread_ts=place.thread_ts, mark=mark, patience=patience)
    except SlackError as error:
        if error.lost:
            with suppress(SlackError):  # where we may not read, nobody can tell
                if found := await messenger.find(place, mark):
                    return found
        raise
