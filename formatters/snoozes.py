"""That a channel hears nothing of a red branch for a while: who asked for that, until when, and how it ended."""

from typing import Any

from bot.actions import SnoozeForm
from bot.answers.subscriptions import Snoozed
from bot.models import days, lengths, spelling
from bot.models.red import Branch
from bot.models.subscription import named_in
from formatters import forms
from formatters.again import command
from formatters.blocks import Message, assemble, clean, link, literal, moment, section
from formatters.links import Links
from formatters.locks import NOTES
from formatters.words import branch_words, count

OFF = "off"
CHOICES = {  # as they would be typed
    "1h": "For 1 hour",
    "4h": "For 4 hours",
    "until tomorrow 9:00": "Until tomorrow, 9:00 by your clock",
}
HOW_LONG = "how_long"


def form(
    button: SnoozeForm,
    value: str,
    action_id: str,
    _: None,
) -> dict[str, Any]:
    """Return the window that asks how long."""
    name = literal(branch_words(button.branch), name=True)
    intro = (
        f"Nothing is posted in this channel about *{name}* until then, but that it is fixed. "
        "Its message here goes on to say how it stands."
    )
    fields = [forms.choice(HOW_LONG, "How long?", CHOICES, hint=_other(button))]
    return forms.form("Snooze", intro, fields, value=value, action_id=action_id, submit="Snooze")


def _other(button: SnoozeForm) -> str:
    line = f"/ci snooze {line_of(button.project_slug, named_in(button.branch))} 2d"
    return f"For any other time type: {line}" if len(line) < 200 else ""


def snoozed(done: Snoozed) -> Message | None:
    """Answer who asked for it, or ended it; None where they see it anyway."""
    if done.told:
        return None
    what = f"*{literal(done.branch, name=True)}* of {literal(done.project_title)}"
    if done.until is None:
        text = f"The snooze of {what} is over: what happens to it is posted here again."
        return assemble(text, section(text))
    line = command(f"snooze {line_of(done.project_slug, done.branch)} {OFF}")
    ends = f" {line} ends that." if line else ""
    notes = "".join(f" {NOTES[note]}" for note in done.notes if note in NOTES)
    said = f"{what} is snoozed here until {moment(done.until)}: nothing is posted about it but that it is fixed."
    return assemble(said, section(f"💤 {said}{notes}{ends}"))


def begun(state: Branch, title: str, is_apart: bool) -> Message:
    """Say who snoozed it: a name, as that is no reason for a ping."""
    assert state.snoozed_until is not None  # noqa: S101  # whoever says so has set it
    until = moment(state.snoozed_until)
    until_then = f"{until}: until then nothing is posted about it but that it is fixed."
    return _said("💤", state.snoozed_by, f"snoozed {_what(state, title, is_apart)} until {until_then}")


def ended(state: Branch, title: str, name: str, is_apart: bool) -> Message:
    """Say who ended it before its time."""
    what = _what(state, title, is_apart)
    return _said("🔔", name, f"ended the snooze of {what}: what happens to it is posted here again.")


def over(state: Branch, title: str, links: Links, is_apart: bool, *, called: str = "") -> Message:
    """Say that its time has come, and the branch is red all the same; of what broke in it somebody may be `called`."""
    newest = link(links.pipeline(state.project_slug, state.number), f"#{state.number}")
    name = _what(state, title, is_apart) if is_apart else "It"
    how = "became red in it" if state.broke_asleep else "is still red"
    text = f"The snooze is over. {name} {how}: {count(state.builds, 'red build')}, the newest is"
    plain = f"The snooze is over, and {clean(branch_words(state.branch), name=True)} of {clean(title)} {how}."
    return assemble(plain, section(f"⏰ {text} {newest}.{called}"))


def note(state: Branch, *, is_snoozed: bool) -> str:
    """Return what the message about a red branch says of its snooze, empty text where it never was."""
    if state.snoozed_until is None:
        return ""
    by, when = literal(state.snoozed_by, 60), moment(state.snoozed_until)
    return (
        f"💤 Snoozed by {by} until {when}." if is_snoozed else f"⏰ Still red after the snooze by {by}, until {when}."
    )


def _what(state: Branch, title: str, is_apart: bool) -> str:
    return f"*{literal(branch_words(state.branch), name=True)}* of {literal(title)}" if is_apart else "this"


def _said(mark: str, name: str, what: str) -> Message:
    return assemble(f"{clean(name, 60)} {what}", section(f"{mark} {literal(name, 60)} {what}"))


def line_of(slug: str, branch: str) -> str:
    """Return a project and a branch as they are typed: one that would be read as a time goes in quotes."""
    name = branch.lower()
    is_ours = name == OFF or lengths.measured([branch]) or name in spelling.BEFORE_A_TIME or days.is_word(name)
    return f"{slug} {spelling.quoted(branch) if is_ours else spelling.as_typed(branch)}"
