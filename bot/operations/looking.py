"""Say for a channel who looks at a branch that is red."""

from contextlib import suppress
from functools import partial

import structlog

from bot.actions import LookAt
from bot.answers.acts import Acted
from bot.errors import CircleCIError, NotFound, NothingToDo, SlackError
from bot.models.caller import Caller
from bot.models.circleci import ProjectSlug, Ref
from bot.models.red import Branch
from bot.models.subscription import named_in
from bot.operations.frame import Act, Intent, acting
from bot.operations.hands import Hands, Subject
from bot.policy import Word
from formatters import red

log = structlog.get_logger(__name__)


async def look_at(hands: Hands, caller: Caller, button: LookAt) -> Acted:
    """Keep that somebody looks at it until it is green, and say so in its thread.

    Raises NothingToDo where that is not what the channel knows of it any more, and where somebody else looks at it.
    """
    subject = await subject_of(hands, ProjectSlug(button.project_slug), button.branch)
    await hands.refuse_if_hidden(caller, subject.slug, subject.ref)
    async with acting(hands, caller, Intent(subject, Word.READ, f"look at {subject.about}", act="look_at")) as act:
        name = act.caller.called
        await red_here(hands, act.caller, subject, button.since, button.branch)
        state = await _taken(hands, act, button, name)
        if state.looking != name:
            raise NothingToDo("looked_at_already", what=state.looking)
        act.note(result=f"looks at {subject.about}")
        is_said = await _tell(hands, act, state)
    return act.done("look_at", what=subject.about, told=is_said)


async def subject_of(hands: Hands, slug: ProjectSlug, branch: str) -> Subject:
    """Return what a button is about, by how its channel knows a branch: its project may be called otherwise by now."""
    slug = await hands.store.subscriptions.now_called(slug)
    if not await hands.store.subscriptions.of_project(slug):
        with suppress(CircleCIError, NotFound):
            slug = (await hands.finder.any_project(slug)).slug
    return Subject(slug, await hands.finder.title(slug), Ref(name=named_in(branch)))


async def red_here(hands: Hands, caller: Caller, subject: Subject, since: int, branch: str) -> None:
    """Raise NothingToDo where a branch is not red in the channel they speak in, or not any more as it was `since`.

    `branch` is how the channel knows it, which may be by some of its builds alone.

    The message of one that nobody there subscribes to any more ends with the press, and so does one that was left to
    say what is over.
    """
    slug, channel_id, what = subject.slug, caller.channel_id, subject.about
    known = await hands.store.subscriptions.known(channel_id, slug, branch)
    state = known or Branch(channel_id=channel_id, project_slug=slug, branch=branch)
    if since and not await hands.roots.is_told(state):
        pressed = state.model_copy(update={"red_since": since, "root_ts": caller.pressed_ts or state.root_ts})
        await hands.roots.forsake([pressed], subject.title)
        raise NothingToDo("not_told_here", what=what)
    if not state.is_red or since not in (0, state.red_since):
        if since and caller.pressed_ts:
            pressed = state.model_copy(update={"red_since": since, "root_ts": caller.pressed_ts})
            await hands.roots.end_left(pressed, subject.title)
        raise NothingToDo("not_red_any_more" if since else "not_red_here", what=what)


async def _taken(hands: Hands, act: Act, button: LookAt, name: str) -> Branch:
    """Return how the branch stands, with who looks at it: the first who said so while it is red."""

    def change(kept: Branch) -> Branch:
        is_meant = kept.is_red and kept.red_since == button.since
        return kept.model_copy(update={"looking": kept.looking or name}) if is_meant else kept

    slug = act.subject.slug
    state = await hands.store.subscriptions.know(act.caller.channel_id, slug, button.branch, change)
    if not state.is_red or state.red_since != button.since:
        raise NothingToDo("not_red_any_more", what=act.subject.about)
    return state


async def _tell(hands: Hands, act: Act, state: Branch) -> bool:
    """Say it in the thread, once, and in the message above it; who pressed has done what they did all the same."""
    name = act.caller.called
    word = partial(red.looked_at, state, act.subject.title, name)
    is_said = True
    try:
        await hands.roots.say(state, word, once=f"{state.project_slug}:{state.branch}:{state.red_since}:{name}")
    except SlackError as error:
        is_said = False
        log.warning("not_said_who_looks", channel=state.channel_id, method=error.method, code=error.code)
    await hands.roots.show(state)
    return is_said
