"""Let a channel hear nothing of a branch that is red until some time, and say so in it."""

from datetime import datetime
from functools import partial

import structlog

from bot.actions import EndSnooze, SnoozeForm
from bot.answers.subscriptions import Snoozed
from bot.errors import NothingToDo, SlackError
from bot.models.caller import Caller
from bot.models.circleci import ProjectSlug, Ref
from bot.models.red import Branch
from bot.models.slack import utc_now
from bot.models.subscription import named_in
from bot.operations.frame import Act, Intent, acting
from bot.operations.hands import Hands, Subject
from bot.operations.looking import red_here, subject_of
from bot.policy import Word
from bot.watching.engine import END_SNOOZE
from formatters import snoozes

log = structlog.get_logger(__name__)


async def snooze(
    hands: Hands, caller: Caller, subject: Subject, until: datetime | None, since: int = 0, pressed_on: str = ""
) -> Snoozed:
    """Snooze it until then, or end that; who presses means the branch as it is red `since` that build.

    What they `pressed_on` may be about some of its builds alone, and is snoozed alone then; else it is all that the
    channel knows of the branch, also what becomes red in it.

    It takes the right to read, as the channel is told by whom it was. Raises NothingToDo where the branch is not red in
    this channel, and where there is no snooze to end.
    """
    await hands.refuse_if_hidden(caller, subject.slug, subject.ref)
    what = f"snooze {subject.about}" if until else f"end the snooze of {subject.about}"
    async with acting(hands, caller, Intent(subject, Word.READ, what, act="snooze", idempotent=True)) as act:
        until = await _as_first_read(hands, act, until) if until else None
        is_of_all = pressed_on in ("", named_in(pressed_on))
        known = await _known_as(hands, act, until, pressed_on) if is_of_all else []
        for branch in [pressed_on, *known] if pressed_on else known:
            state = await _changed(hands, act, until, since if branch == pressed_on else 0, branch, is_of_all=is_of_all)
            await _tell(hands, act, state)
        act.note(result=f"nothing is posted of it until {until:%Y-%m-%d %H:%M} UTC" if until else "it is posted again")
    name = subject.ref.name if subject.ref else ""
    names = {"project_slug": subject.slug, "project_title": subject.title, "branch": name}
    return Snoozed(**names, until=until, entry=act.entry)


async def pressed(hands: Hands, caller: Caller, button: SnoozeForm | EndSnooze, until: datetime | None) -> Snoozed:
    """Do the same by a button, for the branch as its message has it."""
    subject = await subject_of(hands, ProjectSlug(button.project_slug), button.branch)
    return await snooze(hands, caller, subject, until, button.since, button.branch)


async def may(hands: Hands, caller: Caller, button: SnoozeForm) -> None:
    """Raise what a press would, as far as that is known without looking at CircleCI for the project's name."""
    slug = ProjectSlug(button.project_slug)
    subject = Subject(slug, slug.partition("/")[2], Ref(name=named_in(button.branch)))
    await hands.refuse_if_hidden(caller, subject.slug, subject.ref)
    await red_here(hands, caller, subject, button.since, button.branch)


async def _known_as(hands: Hands, act: Act, until: datetime | None, pressed_on: str) -> list[str]:
    """Return how the channel knows a red branch: by all of its builds, and by some of them alone.

    Where a snooze is to end, those that are snoozed are meant. Of what was pressed on, it is what is known beside that.
    """
    name, now = act.subject.ref.name if act.subject.ref else "", await hands.store.now()
    known = await hands.store.subscriptions.known_of(act.caller.channel_id, act.subject.slug)
    red = [one for one in known if one.is_red and named_in(one.branch) == name]
    if pressed_on:
        return [one.branch for one in red if one.branch != pressed_on and (until or one.is_snoozed(now))]
    meant = [one.branch for one in red if until or one.is_snoozed(now)] or [one.branch for one in red]
    return meant or [name]


async def _as_first_read(hands: Hands, act: Act, until: datetime) -> datetime:
    """Return the end as a run of this delivery before has read it: `2h` are two hours from then."""
    first = await hands.store.claims.claim(f"snooze-until:{act.caller.delivery_id}", until.isoformat())
    return datetime.fromisoformat(first)


async def _changed(
    hands: Hands, act: Act, until: datetime | None, since: int, branch: str, *, is_of_all: bool
) -> Branch:
    """Keep it, once the task is there that tells of its end; of several who press at once the first one counts."""
    slug, channel_id, now = act.subject.slug, act.caller.channel_id, await hands.store.now()
    await red_here(hands, act.caller, act.subject, since, branch)
    kept = await hands.store.subscriptions.known(channel_id, slug, branch)
    is_first = until is None and await hands.store.claims.first(f"snooze-ended:{act.caller.delivery_id}:{branch}")
    if is_first and not (kept and kept.is_snoozed(now)):
        raise NothingToDo("not_snoozed", what=act.subject.about)
    if until is not None:
        await hands.engine.put(END_SNOOZE, channel_id, slug, branch, when=until)
    name = act.caller.called if until else ""

    def change(kept: Branch) -> Branch:
        is_meant = kept.is_red and since in (0, kept.red_since)
        is_late = bool(since and until and kept.is_snoozed(now))
        snooze = {"snoozed_until": until, "snoozed_by": name, "is_of_all": bool(until) and is_of_all}
        return kept.model_copy(update=snooze) if is_meant and not is_late else kept

    state = await hands.store.subscriptions.know(channel_id, slug, branch, change)
    if until is None and is_of_all:  # what became red in it is to be said
        await hands.engine.put(END_SNOOZE, channel_id, slug, branch, when=utc_now())
    if not state.is_red or since not in (0, state.red_since):  # fixed meanwhile, which is told
        raise NothingToDo("not_red_any_more" if since else "not_red_here", what=act.subject.about)
    if until is not None and state.snoozed_until not in (None, until):
        await _refuse_late(hands, state)
    return state


async def _refuse_late(hands: Hands, state: Branch) -> None:
    """Raise NothingToDo for who pressed while somebody else did; the end of that is told at its time."""
    if until := state.snoozed_until:
        await hands.engine.put(END_SNOOZE, state.channel_id, state.project_slug, state.branch, when=until)
        raise NothingToDo("snoozed_already", what=state.snoozed_by, number=int(until.timestamp()))


async def _tell(hands: Hands, act: Act, state: Branch) -> None:
    """Say it in the thread, once, and in the message above it; it holds all the same where Slack takes neither."""
    title, name = act.subject.title, act.caller.called
    begun, ended = partial(snoozes.begun, state, title), partial(snoozes.ended, state, title, name)
    try:
        await hands.roots.say(
            state, begun if state.snoozed_until else ended, once=f"{act.caller.delivery_id}:{state.branch}"
        )
    except SlackError as error:
        log.warning("snooze_not_said", channel=state.channel_id, method=error.method, code=error.code)
    await hands.roots.show(state)
