"""Say for a channel who looks at a branch that is red."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial

import structlog

from bot.actions import LookAt, LookInstead
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
from formatters.blocks import Message

_NOBODY = {"looking": "", "looking_id": "", "looking_by": ""}
log = structlog.get_logger(__name__)


async def look_at(hands: Hands, caller: Caller, button: LookAt) -> Acted:
    """Keep that somebody looks at it until it is green, and say so in its thread.

    Raises NothingToDo where that is not what the channel knows of it any more, and where somebody else looks at it.
    """
    return await _looks(hands, caller, button, await _subject_for(hands, caller, button))


async def look_instead(hands: Hands, caller: Caller, button: LookInstead) -> Acted:
    """Keep that somebody looks at it in the place of who did when the message was written, or no more if it is them.

    Raises the same; where a third one has taken it over meanwhile, it is that one who looks at it.
    """
    subject = await _subject_for(hands, caller, button)
    if button.looking_id != caller.person_id and not await _is_kept_by_name(hands, caller, button, subject):
        return await _looks(hands, caller, button, subject)
    what = f"look at {subject.about} no more"
    async with acting(hands, caller, Intent(subject, Word.READ, what, act="look_at", idempotent=True)) as act:
        once = f"looks-no-more:{caller.delivery_id}"  # a run of this delivery before may have died over the rest
        known = await hands.store.subscriptions.known(caller.channel_id, subject.slug, button.branch)
        if known and _is_mine(known, act.caller):
            await hands.store.claims.first(once)
        _, state = await _changed(hands, act, button, lambda kept: _NOBODY if _is_mine(kept, act.caller) else {})
        if state.looking:
            raise NothingToDo("looked_at_already", what=state.looking)
        act.note(result=f"does not look at {subject.about} any more")
        word = partial(red.looks_no_more, state, act.subject.title, act.caller.called)
        is_said = not await hands.store.claims.is_taken(once) or await _tell(hands, state, word, once)
    return act.done("look_no_more", what=subject.about, told=is_said)


async def _is_kept_by_name(hands: Hands, caller: Caller, button: LookInstead, subject: Subject) -> bool:
    """Say whether an earlier version kept by their name alone that they look at it, also where they gave it back."""
    if button.looking_id:
        return False
    once = f"looked-by-name:{caller.channel_id}:{subject.slug}:{button.branch}:{button.since}:{caller.person_id}"
    known = await hands.store.subscriptions.known(caller.channel_id, subject.slug, button.branch)
    if known and not known.looking_id and _is_mine(known, await hands.named(caller)):
        await hands.store.claims.first(once)
    return await hands.store.claims.is_taken(once)


async def _looks(hands: Hands, caller: Caller, button: LookAt | LookInstead, subject: Subject) -> Acted:
    instead_of = button.looking_id if isinstance(button, LookInstead) else ""
    async with acting(hands, caller, Intent(subject, Word.READ, f"look at {subject.about}", act="look_at")) as act:
        name, who = act.caller.called, act.caller.person_id
        mine = {"looking": name, "looking_id": who, "looking_by": act.caller.delivery_id}

        def change(kept: Branch) -> dict[str, str]:
            is_free = not kept.looking or (isinstance(button, LookInstead) and kept.looking_id in ("", instead_of))
            return mine if is_free and not _is_mine(kept, act.caller) else {}

        before, state = await _changed(hands, act, button, change)
        if not _is_mine(state, act.caller):
            raise NothingToDo("looked_at_already", what=state.looking)
        act.note(result=f"looks at {subject.about}")
        other = "" if _is_mine(before, act.caller) else before.looking
        word = partial(red.looked_at, state, act.subject.title, name, other)
        is_said = await _tell(hands, state, word, state.looking_by or name)
    return act.done("look_at", what=subject.about, told=is_said)


def _is_mine(state: Branch, caller: Caller) -> bool:
    """Say whether somebody looks at it; an earlier version kept their name alone."""
    return state.looking_id == caller.person_id if state.looking_id else state.looking == caller.called


async def _subject_for(hands: Hands, caller: Caller, button: LookAt | LookInstead) -> Subject:
    subject = await subject_of(hands, ProjectSlug(button.project_slug), button.branch)
    await hands.refuse_if_hidden(caller, subject.slug, subject.ref)
    return subject


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


async def _changed(
    hands: Hands, act: Act, button: LookAt | LookInstead, change: Callable[[Branch], Mapping[str, str]]
) -> tuple[Branch, Branch]:
    """Return how the branch stood, and how it does by now, with who looks at it."""
    await red_here(hands, act.caller, act.subject, button.since, button.branch)
    seen = list[Branch]()

    def changed(kept: Branch) -> Branch:
        seen.append(kept)
        is_meant = kept.is_red and kept.red_since == button.since
        return kept.model_copy(update=dict(change(kept))) if is_meant else kept

    slug = act.subject.slug
    state = await hands.store.subscriptions.know(act.caller.channel_id, slug, button.branch, changed)
    if not state.is_red or state.red_since != button.since:
        raise NothingToDo("not_red_any_more", what=act.subject.about)
    return seen[-1], state


async def _tell(hands: Hands, state: Branch, word: Callable[[bool], Message], once: str) -> bool:
    """Say it in the thread, once, and in the message above it; who pressed has done what they did all the same."""
    is_said = True
    try:
        await hands.roots.say(state, word, once=f"{state.project_slug}:{state.branch}:{state.red_since}:{once}")
    except SlackError as error:
        is_said = False
        log.warning("not_said_who_looks", channel=state.channel_id, method=error.method, code=error.code)
    await hands.roots.show(state)
    return is_said
