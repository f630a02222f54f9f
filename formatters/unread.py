"""What is said under an answer that could not be read in full."""

from bot.actions import RunCommand
from formatters.blocks import Message, actions, assemble, button, section
from formatters.words import count

MOST_COMMAND = 1500


def add(message: Message, tried: int, missed: int, text: str, *, limited: bool) -> Message:
    """Return the answer with what is missing, and a button that asks again; `text` is the command as it was typed."""
    why = "CircleCI asked me to slow down" if limited else "CircleCI did not answer"
    note = f"⚠️ Not all of it: {tried - missed} of {count(tried, 'job')} read; for the rest {why}."
    again = actions(button(RunCommand(text=text), "Ask again")) if 0 < len(text) < MOST_COMMAND else None
    return assemble(f"{message.text} {note}", section(note), *message.blocks, again)
