"""What is said before anybody was asked anything. It stays true whatever comes of it: Slack may leave it standing."""

import math
from datetime import timedelta

from bot.actions import TakeBack
from formatters.blocks import Message, actions, button, clean, code, context
from formatters.dialogs import asks

EYES = "👀"
REACTION, STATUS = "eyes", "is looking at it"
LONGEST = 200
NONE, WORTH_SAYING = timedelta(0), timedelta(seconds=2)


def understood(line: str, wait: timedelta = NONE) -> Message:
    """Say which command was read, to whoever typed it; whether they may, and whether it works, the answer says.

    With `wait` nobody may ask CircleCI before; whether this command waits or is refused, the answer says too.
    """
    again = f" I may ask CircleCI again in about {_seconds(wait)}." if wait >= WORTH_SAYING else ""
    return _quiet(f"{EYES} Understood: {{}}. My answer follows.{again}", line)


def _quiet(text: str, line: str) -> Message:
    return Message(text=text.format(clean(line, LONGEST)), blocks=(context(text.format(code(line, LONGEST))),))


def _seconds(wait: timedelta) -> str:
    return f"{math.ceil(wait.total_seconds())} s"


def waits_for_circleci(line: str, wait: timedelta) -> Message:
    """Say that the answer waits for its turn at CircleCI."""
    text = f"⏳ Waiting: {{}}. My turn at CircleCI comes in about {_seconds(wait)}."
    return _quiet(text, line)


def deploy_waits(line: str, wait: timedelta, delivery_id: str) -> Message:
    """Say so of a deploy, which can be taken back as long as it waits, also before it is known what it would be of."""
    message = waits_for_circleci(line, wait)
    text = f"What you typed, {clean(line, LONGEST)}, waits for its turn at CircleCI. It is not sent then."
    sure = asks("Take it back?", text, "Do not deploy", "Let it wait", clean(line, LONGEST))
    if sure is None:
        return message
    taken = button(TakeBack(attempt_id=delivery_id), "Do not deploy it", confirm=sure)
    return Message(text=message.text, blocks=(*message.blocks, actions(taken)))


def waits_for_slack(number: int, wait: timedelta) -> Message:
    """Say of a build that its message is not there yet, and when it may be."""
    about = f" in about {_seconds(wait)}" if wait else ""
    text = f"⏳ Waiting: the message of #{number} comes here{about}. Slack takes one after the other."
    return Message(text=text, blocks=(context(text),))
