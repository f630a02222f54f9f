"""To ask for the same once more, word for word: as a command to type, and as a button."""

from bot.actions import RunCommand
from formatters.blocks import Block, button, code, escape
from formatters.dialogs import asks

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


def act_button(line: str, label: str, about: str = "") -> Block | None:
    """Return a button that carries out the line of an act, once a dialog has shown all of it, and `about` what it is.

    None where no button can carry it, or no dialog show it.
    """
    action = RunCommand(text=line)
    verb = line.partition(" ")[0].capitalize()
    sure = asks(f"{label}?", dialog_of(line, about), verb, "Not now", *about.split(" "), *line.split(" "))
    return button(action, label, confirm=sure) if line and action.fits and sure else None


def dialog_of(line: str, about: str) -> str:
    """Return what a dialog says of a line."""
    return f"{about}. I would carry out: {line}" if about else f"I would carry out: {line}"
