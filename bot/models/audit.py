"""What somebody did through the bot, as it is kept."""

from datetime import datetime

from bot.models.circleci import Model


class Entry(Model):
    """One act, done or refused: who, where, what, on what, by which rule, and what came of it.

    `word` is the permission it took, `what` the command line or the button, `about` the project and the branch, `rule`
    what the policy decided by, `result` what CircleCI answered or why nothing was done.
    """

    at: datetime
    user_id: str
    user_name: str = ""
    team_id: str = ""
    channel_id: str
    word: str
    what: str
    about: str = ""
    rule: str = ""
    result: str = ""
    request: str = ""
