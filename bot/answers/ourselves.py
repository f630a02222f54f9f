"""The bot itself: who it is, what can be said to it, how its installation stands."""

from bot.answers import Answer
from bot.models.checkup import Finding
from bot.models.help import CommandHelp


class Greeting(Answer):
    """Who the bot is and what to try first."""


class Overview(Answer):
    """Every command there is."""

    commands: tuple[CommandHelp, ...]


class CommandPage(Answer):
    """How one command is used."""

    command: CommandHelp


class CheckUp(Answer):
    """What a check-up of the installation found, in the order of setting it up."""

    findings: tuple[Finding, ...]
