"""Start a pipeline on a branch or a tag, and follow it in a thread."""

from bot.answers.acts import Acted
from bot.errors import NotFound, Rejected
from bot.models.caller import Caller
from bot.models.circleci import ProjectSlug
from bot.models.pending import Deployment, Pending
from bot.operations import demands, sending
from bot.operations.ending import overtaken
from bot.operations.frame import Intent, acting
from bot.operations.hands import Hands, Subject
from bot.policy import Word
from formatters import agreement


async def deploy(hands: Hands, caller: Caller, wish: Deployment, pending: Pending | None = None) -> Acted:
    """Start it; `detail` says `looked_for` where CircleCI's answer was lost.

    Raises Waits while somebody must agree, Unbuilt for what may be a slip in the name of a branch, NotFound with the
    branches there are, and what CircleCI refuses.
    """
    subject = Subject(wish.project_slug, wish.project_title, wish.ref)
    attempt_id = pending.id if pending else caller.delivery_id
    intent = Intent(
        subject,
        Word.DEPLOY,
        f"deploy {wish.target}",
        once=f"send:{attempt_id}",
        idempotent=True,  # what may have arrived is looked for, and raises nothing
        stopped_by_locks=True,
        wish=wish,
        pending=pending,
    )
    async with acting(hands, caller, intent) as act:
        act.note(parameters=tuple(wish.parameters))
        try:
            wished = _noted(act.wished(Deployment), act.caller, pending)
            lately = await sending.lately(hands, act.caller, wish.project_slug, attempt_id)
            if pending is None and demands.may_be_a_slip(wish, lately):
                await demands.refuse_unbuilt(hands, act.caller, wish)
            attempt = await sending.begun(hands, act.caller, wished, attempt_id, pending, lately)
        except sending.NotAlone as error:
            raise await demands.beside(hands, act.caller, act.wished(Deployment), pending, error.others) from error
        try:
            attempt = await sending.send(hands, attempt, max((one.number for one in lately), default=0))
        except Rejected as error:
            if error.status not in (400, 404) or "not found" not in error.message.lower():
                raise
            raise await hands.finder.unknown_ref(wish.project_slug, wish.ref, act.caller) from error
        lost = attempt.pipeline_id is None
        act.subject = subject._replace(pipeline_id=attempt.pipeline_id, number=attempt.pipeline_number)
        result = "its answer was lost" if lost else f"#{attempt.pipeline_number}"
        act.note(pipeline_number=attempt.pipeline_number, result=result)
    await overtaken(hands, act.caller, act.wished(Deployment), pending)
    return act.done("deploy", detail="looked_for" if lost else "", told=not lost)


def _noted(wish: Deployment, caller: Caller, pending: Pending | None) -> Deployment:
    """Return what is sent, with a note for its root: who let it go on over red, and why an agent asked for it."""
    over_red = agreement.over_red(pending.over_red) if pending and pending.over_red else ""
    notes = [one for one in (wish.note, over_red, agreement.said_why(caller)) if one]
    return wish.model_copy(update={"note": " ".join(notes)})


async def definition_of(hands: Hands, slug: ProjectSlug, definition_id: str) -> dict[str, str]:
    """Return a pipeline definition as a wish names it, once CircleCI says that the project has it.

    A button can be made up. It is called by its name where no other is called so.
    """
    project = await hands.reads.project(slug)
    names = {one.id: one.name for one in await hands.reads.definitions(project.id)}
    if definition_id not in names:
        raise NotFound("pipeline definition", definition_id, looked_in=project.title)
    is_unique = list(names.values()).count(names[definition_id]) == 1
    return {"definition_id": definition_id, "definition": names[definition_id] if is_unique else definition_id}
