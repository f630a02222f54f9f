"""What a channel uses where nobody names a project: said to all when it begins or ends, and to who asks."""

from bot.answers.channels import ChannelUses
from bot.models.channel import Used
from formatters.again import act_button
from formatters.blocks import Block, Message, actions, assemble, code, literal, section

_NAME = "/ci use acme/frontend main"
NOTHING = f"This channel uses no project. With {code(_NAME)} whoever may deploy lets people leave out the project here."


def began(used: Used) -> Message:
    """Tell a channel which project it uses from now on; who said so is named without a ping."""
    text = f"This channel uses {_target(used)}: a command without a project means it here."
    said = f"{text} What acts asks first, and names it. `/ci use nothing` ends this."
    return assemble(text, section(f"{said} {literal(used.by_name)} chose it."))


def ended(used: Used, by_name: str) -> Message:
    """Tell a channel that it uses no project any more."""
    text = f"This channel does not use {_target(used)} any more: name the project again."
    return assemble(text, section(f"{text} {literal(by_name)} ended it."))


def uses(found: ChannelUses) -> Message | None:
    """Answer with what a channel uses; None where all were told."""
    if found.told:
        return None
    if found.used is None:
        return assemble(NOTHING, section(NOTHING))
    if found.act == "shown":
        text = f"This channel uses {_target(found.used)} where nobody names a project."
        said = f"{literal(found.used.by_name)} chose it. `/ci use nothing` ends it."
        return assemble(text, section(f"{text} {said}"))
    return began(found.used) if found.act == "set" else ended(found.used, found.entry.user_name if found.entry else "")


def offer(slug: str, title: str) -> Message:
    """Offer, after the first deploy in a channel, that people leave out the project from now on."""
    text = f"Shall this channel use {literal(title)}? Then `/ci status` and `/ci deploy` need no project here."
    made = act_button(f"use {slug}", f"Use {title} here", f"Project {title}, for all in this channel", "Use it")
    return assemble(text, section(text), _row(made))


def _row(made: Block | None) -> Block | None:
    return actions(made) if made else None


def _target(used: Used) -> str:
    return literal(used.project_title) + (f" {code(str(used.ref))}" if used.ref else "")
