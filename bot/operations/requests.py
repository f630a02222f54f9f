"""The request in a channel for somebody's word: a second person's, or a person's for what an agent asks."""

from bot.errors import NotAsked, NothingToDo, SlackError
from bot.models.caller import Place
from bot.models.pending import Deployment, Pending
from bot.once import post_marked
from bot.operations.hands import Hands
from bot.operations.seen import pipelines_of, seen_in, shipped
from bot.operations.standing import for_everybody, kept, stands_no_more
from bot.policy import Asked, Word
from bot.watching.engine import EXPIRE
from formatters import agreement
from formatters.blocks import Message


async def request(hands: Hands, pending: Pending) -> Pending:
    """Post the request for somebody's word, or write it anew with what would ship now; it expires by itself.

    Raises AskedAlready where one about the same stands, NotAsked where Slack does not take it. A run that died before
    the post was recorded would rather have asked twice than never.
    """
    pending, message = await to_show(hands, pending)
    place = _place(pending)
    if pending.request_ts is None:
        pending = await for_everybody(hands, pending)
        try:
            ts = await post_marked(hands.messenger, place, message, pending.id)
        except SlackError as error:
            await stands_no_more(hands, pending)
            raise NotAsked(error, pending.target) from error
        pending = pending.model_copy(update={"request_ts": ts})
    else:
        await hands.messenger.update(place.channel_id, pending.request_ts, message, urgent=True)
        pending = pending.model_copy(update={"anew": True})
    pending = await kept(hands, pending)
    if pending.expires_at is not None:
        await hands.engine.add(EXPIRE, pending.id, when=pending.expires_at)
    return pending


async def to_show(hands: Hands, pending: Pending) -> tuple[Pending, Message]:
    """Return the request, and the act with what it shows; raises NothingToDo where nobody reads it or all of it."""
    _place(pending)
    pipelines = await pipelines_of(hands, pending.wish)
    pending = pending.model_copy(update={"seen": await seen_in(hands, pending.wish, pipelines)})
    wish = pending.wish
    asked = await hands.permissions.asked(pending.asker, wish.kind, wish.project_slug, wish.ref)
    shipment = await shipped(hands, pipelines)
    if not isinstance(wish, Deployment):
        shipment = shipment.model_copy(update={"built": await hands.reads.pipeline(wish.pipeline_id)})
    is_alone = pending.asker.place is not None and pending.asker.place.is_direct
    could = () if is_alone else await hands.permissions.could(asked)
    message = agreement.request(pending, shipment, could, owner_may=await _owner_may(hands, pending, asked))
    if message is None:
        raise NothingToDo("too_much_to_show", what=pending.target)
    return pending, message


async def _owner_may(hands: Hands, pending: Pending, asked: Asked) -> bool:
    """Say whether the owner of the agent that asks can let it happen themselves."""
    if pending.takes_two:
        return False
    owner = pending.asker.model_copy(update={"agent": ""})
    looks = await hands.permissions.decision(owner, asked._replace(word=Word.READ))
    return (await hands.permissions.decision(owner, asked)).allowed and not looks.denied


def _place(pending: Pending) -> Place:
    """Return where somebody else can agree; raises NothingToDo where nobody else reads."""
    place = pending.asker.place
    if place is None or ((place.is_direct or pending.asker.directly) and pending.takes_two):
        why = "agent_reads_alone" if pending.asker.agent else "nobody_reads_here"
        raise NothingToDo(why, what=pending.target)
    return place
