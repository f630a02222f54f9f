"""Take back a deploy that still waits for its turn at CircleCI: it is not sent then, whoever was about to."""

from bot.answers.acts import Acted
from bot.errors import NothingToDo, UsageError
from bot.models.attempt import TAKEN_BACK, Refusal
from bot.models.caller import Caller
from bot.operations.frame import Intent, acting
from bot.operations.hands import Hands, Subject
from bot.policy import Word


async def take_back(hands: Hands, caller: Caller, attempt_id: str) -> Acted:
    """Let it not be sent; raises NothingToDo where it has gone out, UsageError for what somebody else asked for.

    Whoever asked for it needs no right to, where they are or by now.
    That it is sent and that it is not are written down in one step each, so that one of them holds.
    """
    attempt = await hands.store.attempts.get(attempt_id)
    if attempt is None or attempt.asker_id != caller.person_id:
        raise UsageError("Only who asked for it takes it back.")
    subject = Subject(attempt.project_slug, attempt.project_title, attempt.ref)
    intent = Intent(subject, Word.DEPLOY, f"take back deploy {attempt.target}", own=True)
    async with acting(hands, caller, intent) as act:
        refusal = Refusal(kind=TAKEN_BACK, text=attempt.target, person_id=caller.person_id)
        gone = attempt.model_copy(update={"over": True, "refusal": refusal})
        if not (attempt.is_unsent and await hands.store.attempts.refuse(gone)):
            now = await hands.store.attempts.get(attempt_id) or attempt
            raise NothingToDo("went_out", what=attempt.target, number=now.pipeline_number or 0)
        act.note(result="it was not sent")
    return act.done("take_back", what=attempt.target)
