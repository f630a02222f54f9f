"""Take back a deploy that still waits for its turn at CircleCI: it is not sent then, whoever was about to."""

from bot.answers.acts import Acted
from bot.errors import NothingToDo, UsageError
from bot.models.attempt import TAKEN_BACK, Attempt, Refusal
from bot.models.caller import Caller
from bot.operations.frame import Intent, acting
from bot.operations.hands import Hands, Subject
from bot.policy import Word


async def take_back(hands: Hands, caller: Caller, attempt_id: str) -> Acted:
    """Let it not be sent; raises NothingToDo where it has gone out, UsageError for what somebody else asked for.

    Whoever asked for it needs no right to, where they are or by now. It may wait before it is recorded, and once more
    after it has gone out: the wish is kept, and heeded whenever it is about to be sent. That it is sent and that it is
    not are written down in one step each, so that one of them holds.
    """
    attempt = await hands.store.attempts.get(attempt_id)
    said = None if attempt else await hands.store.deliveries.invocation(attempt_id)
    if caller.person_id not in (attempt and attempt.asker_id, said and said.user_id):
        raise UsageError("Only who asked for it takes it back.")
    subject = Subject(attempt.project_slug, attempt.project_title, attempt.ref) if attempt else Subject()
    target = attempt.target if attempt else said.text.partition(" ")[2] if said else ""
    intent = Intent(subject, Word.DEPLOY, f"take back deploy {target}", own=True)
    async with acting(hands, caller, intent) as act:
        await hands.store.claims.claim(wish_of(attempt_id), caller.person_id)
        attempt = await hands.store.attempts.get(attempt_id)
        if attempt is not None and not await _is_kept_back(hands, attempt, caller):
            now = await hands.store.attempts.get(attempt_id) or attempt
            is_out = now.sent_at is not None and now.pipeline_id is None and not now.over
            raise NothingToDo("going_out" if is_out else "went_out", what=target, number=now.pipeline_number or 0)
        act.note(result="it was not sent")
    return act.done("take_back", what=target)


async def _is_kept_back(hands: Hands, attempt: Attempt, caller: Caller) -> bool:
    return attempt.is_unsent and await hands.store.attempts.refuse(taken_back(attempt, caller.person_id))


def wish_of(attempt_id: str) -> str:
    """Return the name of the claim that a deploy is not to be sent, whenever it would be; its holder wishes so."""
    return f"taken-back:{attempt_id}"


def taken_back(attempt: Attempt, person_id: str) -> Attempt:
    """Return the attempt once somebody has taken it back."""
    refusal = Refusal(kind=TAKEN_BACK, text=attempt.target, person_id=person_id)
    return attempt.model_copy(update={"over": True, "refusal": refusal})
