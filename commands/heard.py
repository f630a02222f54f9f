"""Asks before anything is started in a channel that would not hear of it, because we are not in it."""

from bot.actions import InviteMe
from bot.answered import claim_on, taken_by
from bot.answers.channels import HowToInvite
from bot.errors import Unheard
from bot.models.caller import Caller
from bot.models.circleci import PipelineId, ProjectSlug, Ref
from bot.policy import Word
from bot.routing import Context, Router


async def is_heard(caller: Caller, context: Context) -> bool:
    """Say whether news can stand where somebody speaks, or is to come to them directly anyhow."""
    place = caller.place
    if place is None or caller.directly:
        return True
    if place.is_direct:
        return await context.whereabouts.is_with(caller.person_id, place.channel_id)
    return await context.whereabouts.is_in(place.channel_id)


async def with_demands(
    error: Unheard, word: Word, slug: ProjectSlug, ref: Ref | None, caller: Caller, context: Context
) -> Unheard:
    """Return the question without the answer that the policy would refuse; raises NotAllowed."""
    error.takes_two = (await context.permissions.check(caller, word, slug, ref)).second_person
    return error


def unheard(line: str, title: str, ref: Ref | None, caller: Caller, *, number: int = 0) -> Unheard:
    """Return the question whether to go on with a line about a branch or a tag, or about a build of it."""
    target = f"#{number}" if number else str(ref or "")
    of_it = [*([f"{ref.kind} {ref.name}"] if ref else []), *([target] if number else [])]
    names = ", ".join([f"Project {title}", *of_it])
    error = Unheard(line, f"{title} {target}", names=names, target=target, asked=caller.delivery_id)
    error.is_between_two = caller.place is not None and caller.place.is_direct
    return error


async def who_hears_of(pipeline_id: str, caller: Caller, context: Context) -> Caller:
    """Return who pressed a button of a build, told directly of what comes of it where nothing else can tell them."""
    watches = await context.store.watches.of(PipelineId(pipeline_id))
    is_told = any(caller.place is not None and one.is_told_in(caller.place) for one in watches)
    return caller if is_told or await is_heard(caller, context) else caller.model_copy(update={"directly": True})


async def invite_me(button: InviteMe, caller: Caller, context: Context) -> HowToInvite:
    """Answer with how it is done, and with the line that goes on then; raises Taken where something came of it."""
    if holder := await context.store.claims.holder(claim_on(button.asked)) if button.asked else None:
        await context.operations.refuse_if_open(holder.rpartition("|")[0])
        raise await taken_by(holder, caller, button.text, context.store)
    return HowToInvite(line=button.text, names=button.names, target=button.target, asked=button.asked)


def register(router: Router) -> None:
    """Teach the router the button."""
    router.action(InviteMe, permission="read", handle=invite_me)
