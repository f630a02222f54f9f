"""What a sentence was read as: beside its answer, or instead of it where nothing is done before somebody presses."""

from collections.abc import Sequence

from bot.errors import Sentence, UsageError
from bot.masks import masked
from bot.models.help import CommandHelp
from formatters import offers
from formatters.again import SLASH, command
from formatters.blocks import MAX_BLOCKS, Message, assemble, code, context, escape, section
from formatters.offers import Offer

_DONE_AT_ONCE = ("deploy", "rerun", "unlock")


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
    if offered:
        text = _offering(problem, offered)
        return assemble(text, section(text), offers.row(offered))
    text = _asking(problem)
    example = f"{spoken_to} {help.example}" if help else f"{spoken_to} help"
    line = _to_type(problem, spoken_to)
    return assemble(text, section(f"{text}\n{line or f'For example `{escape(example)}`'}"))


def _to_type(problem: Sentence, spoken_to: str) -> str:
    """Return the line that can be typed instead, where it is sure which."""
    if problem.did_you_mean:
        return (
            ""
            if problem.refused or masked(problem.did_you_mean) != problem.did_you_mean
            else command(problem.did_you_mean, spoken_to)
        )
    if problem.place or problem.later:
        return command(_now(problem), spoken_to)
    is_to_type = problem.is_sure and problem.lines and not problem.refused
    return command(problem.lines[0], spoken_to) if is_to_type else ""


def _now(problem: Sentence) -> str:
    """Return the line that does without what no line can say; none of a lock, whose end may be a part of that."""
    line = problem.lines[0] if problem.lines else ""
    return line if line.partition(" ")[0] in _DONE_AT_ONCE else ""


def _offering(problem: Sentence, offered: Sequence[Offer]) -> str:
    end = f" {_no_end(problem.end)}" if problem.end else _unsaid(problem)
    if not problem.is_sure:
        return f"I am not sure what you mean. Is it one of these?{end}"
    if len(offered) > 1:
        return f"I read this as {code(problem.command or '')}. Of which project?{end}"
    return f"I read this as {code(offered[0].line)}. Nothing is done yet.{end}"


def _unsaid(problem: Sentence) -> str:
    if not problem.unsaid:
        return ""
    what = code(masked(problem.unsaid), 100)
    return f" No line says {what}, so that is left out."


def _no_end(said: str) -> str:
    return f"I cannot tell when {code(masked(said), 100)} is, so the lock has no end: it stays until it is unlocked."


def _asking(problem: Sentence) -> str:
    """Ask for what is missing, so that there could be a button."""
    meant = code(problem.command or "")
    if problem.did_you_mean:
        return f"I read {code(masked(problem.given))} as {meant}.{_why(problem.refused)}"
    if problem.place:
        return _no_place(problem)
    if problem.later:
        return _not_later(problem)
    if not problem.is_sure:
        return f"I am not sure what you mean. Perhaps {meant}? Then I need the project too."
    if not problem.lines:
        return f"I read this as {meant}. Of which project?{_unsaid(problem)}"
    if problem.refused:
        return f"I read this as {code(masked(problem.lines[0]))}.{_why(problem.refused)}{_unsaid(problem)}"
    what = "Name the branch or the build as well, or type the line."
    return f"I read this as {code(problem.lines[0])}. {what}{_unsaid(problem)}"


def _why(refused: UsageError | None) -> str:
    if refused is None:
        return ""
    given = f" You wrote {code(masked(refused.given), 200)}." if refused.given else ""
    return f" {escape(refused.problem)}{given}"


def _not_later(problem: Sentence) -> str:
    text = f"I do things at once, and at no other time, so nothing is done about {code(masked(problem.later), 100)}."
    return f"{text}{' To have it done now, type the line.' if _now(problem) else ''}"


def _no_place(problem: Sentence) -> str:
    text = f"I know no environments, so nothing is done about {code(masked(problem.place), 100)}."
    where = "What CircleCI does with a branch is in its configuration, and in the parameters that you give"
    return f"{text} {where}.{' To go on without it, type the line.' if _now(problem) else ''}"
