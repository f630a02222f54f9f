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
from bot.operations.frame import Act, Intent, acting
from bot.operations.hands import Hands, Subject
from bot.operations.looking import red_here, subject_of
from bot.policy import Word
from bot.watching.engine import END_SNOOZE
from formatters import snoozes

log = structlog.get_logger(__name__)


async def snooze(hands: Hands, caller: Caller, subject: Subject, until: datetime | None, since: int = 0) -> Snoozed:
    """Snooze it until then, or end that; who presses means the branch as it is red `since` that build.

    It takes the right to read, as the channel is told by whom it was. Raises NothingToDo where the branch is not red in
    this channel, and where there is no snooze to end.
    """
    await hands.refuse_if_hidden(caller, subject.slug, subject.ref)
    what = f"snooze {subject.about}" if until else f"end the snooze of {subject.about}"
    async with acting(hands, caller, Intent(subject, Word.READ, what, act="snooze", idempotent=True)) as act:
        until = await _as_first_read(hands, act, until) if until else None
        state = await _changed(hands, act, until, since)
        act.note(result=f"nothing is posted of it until {until:%Y-%m-%d %H:%M} UTC" if until else "it is posted again")
        await _tell(hands, act, state)
    ref = subject.ref or Ref(name=state.branch)
    names = {"project_slug": subject.slug, "project_title": subject.title, "branch": ref.name}
    return Snoozed(**names, until=until, entry=act.entry)


async def pressed(hands: Hands, caller: Caller, button: SnoozeForm | EndSnooze, until: datetime | None) -> Snoozed:
    """Do the same by a button, for the branch as its message has it."""
    subject = await subject_of(hands, ProjectSlug(button.project_slug), button.branch)
    return await snooze(hands, caller, subject, until, button.since)


async def may(hands: Hands, caller: Caller, button: SnoozeForm) -> None:
    """Raise what a press would, as far as that is known without CircleCI."""
    slug = ProjectSlug(button.project_slug)
    await red_here(hands, caller, Subject(slug, slug.partition("/")[2], Ref(name=button.branch)), button.since)


async def _as_first_read(hands: Hands, act: Act, until: datetime) -> datetime:
    """Return the end as a run of this delivery before has read it: `2h` are two hours from then."""
    first = await hands.store.claims.claim(f"snooze-until:{act.caller.delivery_id}", until.isoformat())
    return datetime.fromisoformat(first)


async def _changed(hands: Hands, act: Act, until: datetime | None, since: int) -> Branch:
    """Keep it, once the task is there that tells of its end."""
    slug, channel_id, now = act.subject.slug, act.caller.channel_id, await hands.store.now()
    branch = act.subject.ref.name if act.subject.ref else ""
    await red_here(hands, act.caller, act.subject, since)
    kept = await hands.store.subscriptions.known(channel_id, slug, branch)
    is_first = until is None and await hands.store.claims.first(f"snooze-ended:{act.caller.delivery_id}")
    if is_first and not (kept and kept.is_snoozed(now)):
        raise NothingToDo("not_snoozed", what=act.subject.about)
    if until is not None:
        await hands.engine.put(END_SNOOZE, channel_id, slug, branch, when=until)
    name = act.caller.called if until else ""

    def change(kept: Branch) -> Branch:
        snooze = {"snoozed_until": until, "snoozed_by": name}
        return kept.model_copy(update=snooze) if kept.is_red and since in (0, kept.red_since) else kept

    return await hands.store.subscriptions.know(channel_id, slug, branch, change)


async def _tell(hands: Hands, act: Act, state: Branch) -> None:
    """Say it in the thread, once, and in the message above it; it holds all the same where Slack takes neither."""
    title, name = act.subject.title, act.caller.called
    begun, ended = partial(snoozes.begun, state, title), partial(snoozes.ended, state, title, name)
    try:
        await hands.roots.say(state, begun if state.snoozed_until else ended, once=act.caller.delivery_id)
    except SlackError as error:
        log.warning("snooze_not_said", channel=state.channel_id, method=error.method, code=error.code)
    await hands.roots.show(state)
