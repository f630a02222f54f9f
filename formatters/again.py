"""To ask for the same once more, word for word: as a command to type, and as a button."""

from bot.actions import RunCommand
from formatters.blocks import Block, button, code, escape

LONGEST = 1500  # of a command that people are to type


def command(text: str, spoken_to: str = "/ci") -> str:
    """Return the command in a code span; empty text for one that would not stand there as it must be typed."""
    spelled = f"{spoken_to} {text}"
    shown = code(spelled, LONGEST)
    return shown if shown == f"`{escape(spelled)}`" else ""


def asks_again(text: str) -> str:
    """Say how it is asked for again."""
    shown = command(text)
    return f"{shown} asks again." if shown else "To have it all the same, ask for it anew."


def run_button(text: str, label: str, *, style: str | None = None) -> Block | None:
    """Return a button that says the same; None for what no button can carry."""
    action = RunCommand(text=text)
    return button(action, label, style=style) if action.fits else None
