"""Say for a channel who looks at a branch that is red."""

import structlog

from bot.actions import LookAt
from bot.answers.acts import Acted
from bot.errors import NothingToDo, SlackError
from bot.models.caller import Caller, Place
from bot.models.circleci import ProjectSlug, Ref
from bot.models.red import Branch
from bot.once import post_once
from bot.operations.frame import Intent, acting
from bot.operations.hands import Hands, Subject
from bot.policy import Word
from formatters import red

log = structlog.get_logger(__name__)


async def look_at(hands: Hands, caller: Caller, button: LookAt) -> Acted:
    """Keep that somebody looks at it until it is green, and say so in its thread.

    Raises NothingToDo where that is not what the channel knows of it any more, and where somebody else looks at it.
    """
    slug, ref = ProjectSlug(button.project_slug), Ref(name=button.branch)
    await hands.refuse_if_hidden(caller, slug, ref)
    subject = Subject(slug, await hands.finder.title(slug), ref)
    async with acting(hands, caller, Intent(subject, Word.READ, f"look at {subject.about}", act="look_at")) as act:
        name = act.caller.called
        state = await _taken(hands, caller.channel_id, button, name)
        if not state.is_red or state.red_since != button.since:
            raise NothingToDo("not_red_any_more", what=subject.about)
        if state.looking != name:
            raise NothingToDo("looked_at_already", what=state.looking)
        act.note(result=f"looks at {subject.about}")
        await _tell(hands, state, name)
    return act.done("look_at", told=True)


async def _taken(hands: Hands, channel_id: str, button: LookAt, name: str) -> Branch:
    """Return how the branch stands, with who looks at it: the first who said so while it is red."""

    def change(kept: Branch) -> Branch:
        is_meant = kept.is_red and kept.red_since == button.since
        return kept.model_copy(update={"looking": kept.looking or name}) if is_meant else kept

    slug = ProjectSlug(button.project_slug)
    known = await hands.store.subscriptions.known(channel_id, slug, button.branch)
    if known is None:
        return Branch(channel_id=channel_id, project_slug=slug, branch=button.branch)
    return await hands.store.subscriptions.know(channel_id, slug, button.branch, change)


async def _tell(hands: Hands, state: Branch, name: str) -> None:
    """Say it in the thread, once, and in the message above it; who pressed has done what they did all the same."""
    place = Place(channel_id=state.channel_id, thread_ts=state.root_ts)
    once = f"{state.project_slug}:{state.branch}:{state.red_since}:{name}"
    try:
        await post_once(hands.messenger, hands.store.claims, place, red.looked_at(name), kind="looks", name=once)
    except SlackError as error:
        log.warning("not_said_who_looks", channel=state.channel_id, method=error.method, code=error.code)
    await hands.roots.show(state)
