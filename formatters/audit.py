"""What people did, in words, newest first."""

from collections.abc import Mapping, Sequence

from bot.actions import (
    AddCheckoutKey,
    AgentForm,
    ButtonAction,
    CancelJob,
    RemoveCheckoutKey,
    RemoveVariable,
    VariableForm,
)
from bot.answers.people import Record
from bot.models.audit import Entry, Outcome
from formatters.blocks import Message, assemble, clean, code, fit, literal, moment, section
from formatters.plain import plain
from formatters.words import count

MOST_COUNTED = 1000
_MORE = "and {} older: name a project, a person or a shorter time, such as `audit &lt;project&gt; 12h`"
_MARKS = {
    Outcome.ASKED: "🙋 Asked",
    Outcome.DONE: "✅ Done",
    Outcome.REFUSED: "🚫 Refused",
    Outcome.FAILED: "❌ Failed",
}
# What stands on a button, for the record: what it takes from whoever pressed it is no name, but an id.
_PRESSED = {
    "cancel_pipeline": "Cancel",
    "rerun_failed": "Rerun failed",
    "rerun_all": "Rerun all",
    "approve_job": "Approve",
    "choose_definition": "Choose a pipeline definition",
    "variable_form": "set",
    "remove_variable": "remove",
    "add_checkout_key": "add",
    "remove_checkout_key": "remove the key",
    "ssh_key_form": "add an SSH key",
    "heroku_form": "set the Heroku key",
    "clear_cache": "clear the caches",
    "agent_form": "add the agent",
    "add_webhook": "set up the webhook",
    "unlock": "unlock",
    "take_lock": "take over the lock",
    "ask_holder": "ask for the lock",
    "agree_deploy": "Agree",
    "decline_deploy": "Decline",
    "deploy_anyway": "Deploy all the same",
    "deploy_beside": "Deploy it all the same",
    "take_back": "Do not deploy it",
    "type_target": "Type it",
    "snooze": "Snooze",
}


def pressed(button: ButtonAction) -> str:
    """Return what a press is called, with the id of what it acts on."""
    words = _PRESSED.get(button.action_id, button.action_id.replace("_", " "))
    match button:
        case CancelJob():
            return f"Cancel job {button.job_number}"
        case VariableForm() | RemoveVariable() | AgentForm():
            return f"{words} {button.name}"
        case AddCheckoutKey():
            return f"{words} {button.kind}"
        case RemoveCheckoutKey():
            return f"{words} {button.fingerprint}"
        case _:
            return words


def audit(found: Record) -> Message:
    """Return the entries; each says how it ended, who, what, by which rule, and what came of it."""
    entries, period = found.entries, _period(found.period) + (" (I keep no more)" if found.is_all_kept else "")
    if not entries:
        text = f"Nobody did anything but look through me in the last {period}."
        return assemble(text, section(text))
    number = count(len(entries), "act") if len(entries) <= MOST_COUNTED else f"More than {MOST_COUNTED:,} acts"
    text = f"{number} in the last {period}, newest first."
    names = _names(entries)
    lines = [_line(entry, names) for entry in entries[:MOST_COUNTED]]
    return assemble(text, section(f"*{text}*\n{fit(lines, 2800, more=_MORE)}"))


def _period(typed: str) -> str:
    """Return `7d` as a person says it."""
    number, noun = typed[:-1], {"d": "day", "h": "hour"}.get(typed[-1:], "")
    return count(int(number), noun) if noun and number.isdecimal() else clean(typed)


def _names(entries: Sequence[Entry]) -> dict[str, str]:
    """Return what people are called whom an entry of an earlier version only mentions, as far as others tell."""
    people = ((one.user_id, one.user_name, one.for_id, one.for_name, one.agreed_id, one.agreed_name) for one in entries)
    return {person_id: name for one in people for person_id, name in zip(one[::2], one[1::2], strict=True) if name}


def _refused_otherwise(entry: Entry) -> bool:
    """Say whether something else than its rule refused it: the rule would have let it happen."""
    return entry.outcome is Outcome.REFUSED and " may not " not in entry.result.partition(":")[0]


def _line(entry: Entry, names: Mapping[str, str]) -> str:
    # A name and no mention: to be looked up is no reason for a ping.
    ended = f"{_MARKS[entry.outcome]} · " if entry.outcome else ""
    who = literal(entry.user_name or entry.user_id, 60)
    whose = f"made by {who}" if entry.own else f"for {who}"
    who = f"🤖 {literal(entry.agent, 40)} ({whose})" if entry.agent else who
    about = f" ({literal(entry.about, 120)})" if entry.about and entry.about not in entry.what else ""
    rule = f" · by “{literal(entry.rule, 120)}”" if entry.rule and not _refused_otherwise(entry) else ""
    agreed = entry.agreed_name or entry.agreed_id
    asker = entry.for_name or entry.for_id
    asked = f" · for {literal(asker, 100)}" if asker else ""
    second = f" · agreed by {literal(agreed, 60)}" if agreed else ""
    what = f"{code(entry.what, 120)}{about} · {literal(plain(entry.result, names), 120)}"
    why = f" · why: “{literal(entry.reason, 120)}”" if entry.reason else ""
    return f"{ended}{moment(entry.at)} · {who} · {what}{rule}{asked}{second}{why}"
