"""What is to be locked, where a branch may be meant or all of its project: the question, with both as buttons."""

from bot.answers.locks import WhichLock
from bot.models import spelling
from formatters.again import act_button, command
from formatters.blocks import Message, actions, assemble, code, literal, section
from formatters.lookalikes import careful


def which(found: WhichLock) -> Message:
    """Ask whether a branch is meant, or the whole project for a reason that begins like one; nothing is locked yet."""
    slug, title, ref = found.project_slug, literal(found.project_title), str(found.ref)
    branch, whole = _either(slug, ref, found)
    text = f"{code(ref)} may be what you lock, or why you lock all of {title}. Nothing is locked yet: which one?"
    lines = [typed for line in (branch, whole) if line and (typed := command(line))]
    of_project = f"Project {found.project_title}"
    buttons = (
        act_button(branch, f"Lock {ref}", f"{of_project}, {found.ref.kind} {found.ref.name}"),
        act_button(whole, f"Lock all of {found.project_title}", f"{of_project}, all of it"),
    )
    shown = [one for one in buttons if one]
    careful_with = careful(ref)
    return assemble(
        text,
        section("\n".join([f"{text} {careful_with}".rstrip(), *lines])),
        actions(*shown) if shown else None,
    )


def _either(slug: str, ref: str, found: WhichLock) -> tuple[str, str]:
    """Return the line for the branch and that for all of it; empty text for what no quotes hold together."""
    if not spelling.can_be_quoted(found.words):
        return "", ""
    until = f" {found.until}" if found.until else ""
    branch = f"lock {spelling.as_typed(f'{slug}:{ref}')}{until} {spelling.sentence(found.reason)}".strip()
    return branch, f"lock {slug}{until} {spelling.quoted(found.words)}"
