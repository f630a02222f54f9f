"""What is asked before something is started in a channel that would not hear of it, and how to have the bot there."""

from bot.actions import InviteMe, RunCommand
from bot.answers.acts import Acted
from bot.answers.channels import HowToInvite
from bot.errors import Unheard
from bot.masks import masked
from formatters.again import act_button
from formatters.blocks import Message, actions, assemble, button, link, literal, section
from formatters.links import Links

_CHANNEL, _BETWEEN = "I am not in this channel", "These direct messages are not mine"
DIRECTLY = "Tell me in direct messages"
_NOT_ALONE = "You may not look at it in direct messages."
_GOES_ON = {"rerun": "reruns it", "watch": "follows it"}
_DONE = {"watch": "followed", "rerun_failed": "running again", "rerun_all": "running again"}


def question(problem: Unheard, text: str) -> Message:
    """Ask, after these words, whether to go on without the channel, or in it once we are a member."""
    text = text.replace(_CHANNEL, _BETWEEN) if problem.is_between_two else text
    if problem.is_hidden:
        return _in_a_channel(text, problem)
    if problem.takes_two:
        return _takes_two(text, problem)
    if masked(problem.again) != problem.again:
        return _to_type(text, problem)  # whatever stands on a button is kept
    verb = problem.again.partition(" ")[0]
    about = f"{problem.names}. Its news comes to you alone"
    tells = RunCommand(text=problem.again, asked=problem.asked, directly=True)
    here = act_button(problem.again, DIRECTLY, about, verb.capitalize(), action=tells)
    invite = _invite(problem)
    if here is None or not invite.fits:
        return _to_type(text, problem)
    ways = f"*{DIRECTLY}* {_GOES_ON.get(verb, 'starts it')}, and its news comes to you alone."
    if problem.is_between_two:
        return assemble(text, section(f"{text} {ways}"), actions(here))
    ways = f"{ways} *Invite me* says how to have me in this channel first."
    return assemble(text, section(f"{text} {ways}"), actions(here, button(invite, "Invite me")))


def _invite(problem: Unheard) -> InviteMe:
    return InviteMe(text=problem.again, names=problem.names, target=problem.target, asked=problem.asked)


def _takes_two(text: str, problem: Unheard) -> Message:
    """Say that it is agreed to in a channel, and nowhere else; here that is once we are a member."""
    text = f"{text} Somebody else must agree to it, which they can in a channel that I am in."
    invite = _invite(problem)
    if problem.is_between_two or masked(problem.again) != problem.again or not invite.fits:
        text = f"{text} Ask for it there."
        return assemble(text, section(text))
    ways = "*Invite me* says how to have me in this one."
    return assemble(text, section(f"{text} {ways}"), actions(button(invite, "Invite me")))


def _in_a_channel(text: str, problem: Unheard) -> Message:
    """Say that it is told in a channel alone, to who may not look at it in direct messages."""
    invite = _invite(problem)
    if problem.is_between_two:
        text = f"{_NOT_ALONE} Nothing was started. Ask for it in a channel that I am in."
        return assemble(text, section(text))
    if masked(problem.again) != problem.again or not invite.fits:
        text = f"{text} {_NOT_ALONE} Type `/invite @ci` and ask again."
        return assemble(text, section(text))
    ways = f"{_NOT_ALONE} *Invite me* says how to have me in this channel first."
    return assemble(text, section(f"{text} {ways}"), actions(button(invite, "Invite me")))


def told_directly(done: Acted, links: Links) -> Message:
    """Say where the question stood that it goes on, and where the news of it is."""
    number = f"#{done.pipeline_number}" if done.pipeline_number else ""
    build = f" {link(links.pipeline(done.project_slug, done.pipeline_number), number)}" if done.pipeline_number else ""
    is_done = _DONE.get(done.act, "started")
    what = f"{literal(done.project_title or done.project_slug)} {literal(str(done.ref or ''))}".strip()
    where = "I tell you how it goes in our direct messages."
    return assemble(f"{what} {number} is {is_done}. {where}", section(f"{what}{build} is {is_done}. {where}"))


def _to_type(text: str, problem: Unheard) -> Message:
    """Say what can be typed, for what has no room on a button."""
    alone = "in a direct message, and I tell you alone."
    typed = f"Ask me {alone}" if problem.is_between_two else f"Type `/invite @ci` and ask again; or ask me {alone}"
    typed = f"{text} {typed}"
    return assemble(typed, section(typed))


def how_to_invite(answer: HowToInvite) -> Message:
    """Say how, with the button that goes on once it is done."""
    verb = answer.line.partition(" ")[0].capitalize()
    label = f"{verb} {answer.target} here".replace("  ", " ")
    action = RunCommand(text=answer.line, asked=answer.asked)
    goes_on = act_button(answer.line, label, answer.names, verb, action=action)
    then = f"Once I am in it, press *{literal(label)}*." if goes_on else "Once I am in it, ask again."
    text = f"Type `/invite @ci` in this channel. {then} Nothing was started so far."
    return assemble(text, section(text), actions(goes_on) if goes_on else None)
