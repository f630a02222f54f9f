"""Who answered a question first, where whichever of its buttons is pressed counts once; and what came of that."""

from bot.errors import Taken
from bot.models.caller import Caller
from bot.store import Store


def claim_on(asked: str) -> str:
    """Return what the first answer claims to the question that this delivery was asked."""
    return f"run:asked:{asked}"


def decision_on(pending_id: str) -> str:
    """Return the name of the claim on agreeing to a request and on declining it."""
    return f"second:{pending_id}"


async def taken_by(holder: str, caller: Caller, text: str, store: Store) -> Taken:
    """Return the error that says who was first, by what stands in their claim; it may be long over."""
    first_id, _, person_id = holder.rpartition("|")
    attempt = await store.attempts.get(first_id)
    number = (attempt.pipeline_number if attempt else None) or 0
    taken = Taken(person_id, text, number=number, is_own=person_id == caller.person_id)
    taken.is_past = attempt is None or attempt.over
    return taken
