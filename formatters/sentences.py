"""What a sentence was read as: beside its answer, or instead of it where nothing is done before somebody presses."""

from collections.abc import Sequence

from bot.errors import Sentence
from bot.models.help import CommandHelp
from formatters import offers
from formatters.again import SLASH, command
from formatters.blocks import MAX_BLOCKS, Message, assemble, code, context, escape, section
from formatters.offers import Offer

_MISSING = "It needs the project, and the branch or the build, in the line itself."


def read_as(message: Message, line: str, spoken_to: str = SLASH) -> Message:
    """Return an answer with the line that the sentence was read as."""
    note = context(f"I read this as {command(line, spoken_to) or code(line)}.")
    return Message(text=message.text, blocks=(note, *(message.blocks or (section(message.text),)))[:MAX_BLOCKS])


def not_carried_out(
    problem: Sentence,
    spoken_to: str,
    help: CommandHelp | None,  # noqa: A002  # it is what it is
    offered: Sequence[Offer],
) -> Message:
    """Say what a sentence may mean, with a button for each; or what is missing in it, and how it is written."""
    text = _text(problem, offered)
    if offered:
        lines = [command(one.line, spoken_to) for one in offered[: offers.MOST]]
        return assemble(text, section("\n".join([text, *filter(None, lines)])), offers.row(offered))
    example = f"For example `{escape(f'{spoken_to} {help.example}')}`" if help else f"`{spoken_to} help`"
    return assemble(text, section(f"{text}\n{example}"))


def _text(problem: Sentence, offered: Sequence[Offer]) -> str:
    meant = code(offered[0].line if problem.is_sure and len(offered) == 1 else problem.command or "")
    if not problem.is_sure:
        return f"I am not sure what you mean. {'Is it one of these?' if offered else f'Perhaps {meant}? {_MISSING}'}"
    if not offered:
        return f"I read this as {meant}. {_MISSING}"
    if len(offered) > 1:
        return f"I read this as {meant}. Of which project?"
    return f"I read this as {meant}. Nothing is done on a sentence alone: press the button, or type the line."
