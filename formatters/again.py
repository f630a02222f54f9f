"""To ask for the same once more, word for word: as a command to type, and as a button."""

from bot.actions import RunCommand
from formatters.blocks import MAX_SECTION, Block, Message, assemble, button, code, escape, rewritten, section
from formatters.dialogs import asks

LONGEST = 1500  # of a command that people are to type
SLASH, MENTION = "/ci", "@ci"  # Slack takes no slash command in a thread


def command(text: str, spoken_to: str = "/ci") -> str:
    """Return the command in a code span; empty text for one that would not stand there as it must be typed."""
    spelled = f"{spoken_to} {text}"
    shown = code(spelled, LONGEST)
    return shown if shown == f"`{escape(spelled)}`" else ""


def as_spoken(message: Message, spoken_to: str) -> Message:
    """Return a message whose lines to type begin as people speak to the bot where they read it."""
    if spoken_to == SLASH:
        return message
    return rewritten(message, lambda text: _spelled(text, spoken_to))


def _spelled(text: str, spoken_to: str) -> str:
    """Return text with our lines respelled: nobody else's text holds a backtick, which opens a code span."""
    spelled = text.replace(f"`{SLASH} ", f"`{spoken_to} ")
    return spelled if len(spelled) <= MAX_SECTION else text


def asks_again(text: str) -> str:
    """Say how it is asked for again."""
    shown = command(text)
    return f"{shown} asks again." if shown else "To have it all the same, ask for it anew."


def act_button(
    line: str, label: str, about: str = "", yes: str = "", *, action: RunCommand | None = None
) -> Block | None:
    """Return a button that carries out the line of an act, once a dialog has shown all of it, and `about` what it is.

    `yes` is what the dialog's button says, if not the act's name; `action` carries more than the line, if it does. None
    where no button can carry it, or no dialog show it.
    """
    action = action or RunCommand(text=line)
    verb = verb_of(line).removesuffix(" of")
    sure = asks(f"{label}?", dialog_of(line, about), yes or verb, "Not now", *about.split(" "), *line.split(" "))
    return button(action, label, confirm=sure) if line and action.fits and sure else None


def verb_of(line: str) -> str:
    """Return what the line of an act does: what ends something does not begin it."""
    first, *behind = line.split(" ")
    return "End the snooze of" if first == "snooze" and behind[-1:] == ["off"] else first.capitalize()


def dialog_of(line: str, about: str) -> str:
    """Return what a dialog says of a line."""
    return f"{about}. This carries out: {line}" if about else f"This carries out: {line}"


def carried_out_here(line: str) -> Message:
    """Say in a channel, to who pressed elsewhere, that it is carried out there."""
    text = f"You pressed this in direct messages: {code(line, LONGEST)}. It is carried out here, where it was stopped."
    return assemble(text, section(text))


def carried_out_in(channel_id: str) -> Message:
    """Say to who pressed where they are told of it."""
    text = f"It is carried out in <#{channel_id}>, where it was stopped."
    return assemble(text, section(text))
