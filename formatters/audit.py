"""What people did, in words, newest first."""

from bot.answers.people import Record
from bot.models.audit import Entry
from formatters.blocks import Message, assemble, clean, code, context, fit, literal, moment, section
from formatters.words import count

MOST_SHOWN = 25


def audit(found: Record) -> Message:
    """Return the entries; each says who, what, by which rule, and what came of it."""
    entries, period = found.entries, clean(found.period)
    if not entries:
        text = f"Nobody did anything through me in the last {period}, but read."
        return assemble(text, section(text))
    text = f"{count(len(entries), 'act')} in the last {period}, newest first."
    left = len(entries) - MOST_SHOWN
    more = f"{left} older ones are left out: name a project, a person or a shorter time." if left > 0 else ""
    lines = [_line(entry) for entry in entries[:MOST_SHOWN]]
    return assemble(text, section(f"*{text}*\n{fit(lines, 2700)}"), context(more) if more else None)


def _line(entry: Entry) -> str:
    # A name and no mention: to be looked up is no reason for a ping.
    who = literal(entry.user_name or entry.user_id, 60)
    about = f" ({literal(entry.about, 120)})" if entry.about and entry.about not in entry.what else ""
    rule = f" · by “{literal(entry.rule, 120)}”" if entry.rule else ""
    agreed = entry.agreed_name or entry.agreed_id
    asker = entry.for_name or entry.for_id
    asked = f" · for {literal(asker, 60)}" if asker else ""
    second = f" · agreed by {literal(agreed, 60)}" if agreed else ""
    what = f"{code(entry.what, 120)}{about} · {literal(entry.result, 120)}"
    return f"{moment(entry.at)} · {who} · {what}{rule}{asked}{second}"
