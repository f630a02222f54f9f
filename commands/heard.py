"""Asks before anything is started where nobody would hear of it: we are not there, or who asks may not look."""

from bot.actions import InviteMe
from bot.answered import claim_on, taken_by
from bot.answers.channels import HowToInvite
from bot.errors import Unheard, reading
from bot.models.caller import Caller, Place
from bot.models.circleci import PipelineId, ProjectSlug, Ref
from bot.policy import Word
from bot.routing import Context, Router


async def refuse_unheard(
    line: str, word: Word, slug: ProjectSlug, ref: Ref | None, caller: Caller, context: Context, *, number: int = 0
) -> None:
    """Raise the question whether to go on with a line about a branch or a tag, or about a build of it, or NotAllowed.

    Nothing is asked where its news can stand where somebody speaks; nor where it comes to them alone, by their own
    choice or as they speak to us alone, and they may look at it there. What the policy would refuse is not offered.
    """
    place = caller.place
    is_heard = place is None or caller.directly or await _is_heard(caller, place, context)
    if place is None or (is_heard and not (place.is_direct or caller.directly)):
        return
    may_look = await _may_look_alone(caller, slug, ref, context)
    if is_heard and may_look:
        return
    decision = await context.permissions.check(caller, word, slug, ref)
    error = _unheard(line, await context.finder.title(slug), ref, caller, number)
    error.takes_two, error.is_hidden = decision.second_person, not may_look
    raise error


async def _is_heard(caller: Caller, place: Place, context: Context) -> bool:
    if place.is_direct:
        return await context.whereabouts.is_with(caller.person_id, place.channel_id)
    return await context.whereabouts.is_in(place.channel_id)


async def _may_look_alone(caller: Caller, slug: ProjectSlug, ref: Ref | None, context: Context) -> bool:
    there = Place(channel_id=await context.whereabouts.direct_with(caller.person_id))
    return await context.permissions.may_hear_alone(caller, there, slug, ref)


def _unheard(line: str, title: str, ref: Ref | None, caller: Caller, number: int) -> Unheard:
    target = f"#{number}" if number else str(ref or "")
    of_it = [*([f"{ref.kind} {ref.name}"] if ref else []), *([target] if number else [])]
    names = ", ".join([f"Project {title}", *of_it])
    error = Unheard(line, f"{title} {target}", names=names, target=target, asked=caller.delivery_id)
    error.is_between_two = caller.place is not None and caller.place.is_direct
    return error


async def who_hears_of(pipeline_id: str, caller: Caller, context: Context, word: Word, *how: str) -> Caller:
    """Return who pressed a button of a build, told directly of what comes of it where nothing else can tell them.

    Raises the question about the line of this word where they may not look at it there.
    """
    watches, place = await context.store.watches.of(PipelineId(pipeline_id)), caller.place
    is_told = place is None or any(one.is_told_in(place) for one in watches)
    if place is None or is_told or caller.directly or await _is_heard(caller, place, context):
        return caller
    told = caller.model_copy(update={"directly": True})
    with reading():
        pipeline = await context.circleci.pipeline(PipelineId(pipeline_id))
    slug, number = pipeline.project_slug, pipeline.number
    line = " ".join([word, slug, f"#{number}", *how])
    await refuse_unheard(line, word, slug, pipeline.ref, told, context, number=number)
    return told


async def invite_me(button: InviteMe, caller: Caller, context: Context) -> HowToInvite:
    """Answer with how it is done, and with the line that goes on then; raises Taken where something came of it."""
    if holder := await context.store.claims.holder(claim_on(button.asked)) if button.asked else None:
        await context.operations.refuse_if_open(holder.rpartition("|")[0])
        raise await taken_by(holder, caller, button.text, context.store)
    return HowToInvite(line=button.text, names=button.names, target=button.target, asked=button.asked)


def register(router: Router) -> None:
    """Teach the router the button."""
    router.action(InviteMe, permission="read", handle=invite_me)
