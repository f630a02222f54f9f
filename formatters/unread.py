"""What is said over an answer that could not be read in full."""

from bot.actions import RunCommand
from bot.answers.jobs import Unread
from formatters.blocks import Message, actions, assemble, button, section
from formatters.words import count


def add(message: Message, unread: Unread | None) -> Message:
    """Return the answer with what is missing, if anything is, and a button that asks again."""
    if unread is None:
        return message
    why = "CircleCI asked me to slow down" if unread.limited else "CircleCI did not answer"
    read = f"{unread.tried - unread.missed} of {count(unread.tried, 'job')} read"
    note = f"⚠️ Not all of it: {read}; for the rest {why}."
    again = RunCommand(text=unread.again)
    offer = button(again, "Ask again") if unread.again and again.fits else None
    return assemble(f"{message.text} {note}", section(note), *message.blocks, actions(offer) if offer else None)
