"""What the operator is told, in OPERATOR_CHANNEL and in the log: the beginning of trouble, once."""

from datetime import timedelta

import structlog

from bot.circleci.reads import Reads
from bot.errors import SlackError, Unauthorized
from bot.messenger import Messenger
from bot.models.circleci import User
from bot.models.refusals import Refused, refused
from bot.models.slack import Watch
from bot.store.claims import Claims
from formatters import errors
from formatters.blocks import Message

log = structlog.get_logger(__name__)

REPEAT, SOON = timedelta(hours=6), timedelta(minutes=5)
DAILY = timedelta(hours=24)
CHECKED, CHECKING = "tokens-checked", timedelta(minutes=5)  # the day's check, and how long one may take


class Operator:
    """Tells whoever runs the bot; without a channel the log alone."""

    def __init__(self, messenger: Messenger, claims: Claims, channel_id: str | None) -> None:
        self._messenger = messenger
        self._claims = claims
        self._channel_id = channel_id

    async def token_refused(self, name: str = "") -> None:
        """Say that CircleCI does not take a token, that of `name` or the default one; at most every six hours."""
        if await self._is_first(what := f"circleci-token:{name}"):
            log.error("circleci_token_refused", token=name or "CIRCLECI_TOKEN")
            await self._tell(what, errors.token_refused(name))

    async def check_tokens(self, circleci: Reads) -> None:
        """Ask CircleCI whose each token is, once a day over all processes, before somebody needs it at night.

        What CircleCI did not say is asked again a little later.
        """
        if await self._claims.is_taken(CHECKED) or not await self._claims.first("tokens-checking", CHECKING):
            return
        owners = await circleci.owners()
        for name, owner in owners.items():
            if isinstance(owner, Unauthorized):
                await self.token_refused(name)
        if all(isinstance(owner, Unauthorized | User) for owner in owners.values()):
            await self._claims.first(CHECKED, DAILY)

    async def channel_gone(self, channel_id: str, code: str) -> None:
        """Say that a channel takes our messages no more; at most every six hours for each."""
        if await self._is_first(what := f"channel:{channel_id}"):
            log.warning("channel_gone", channel=channel_id, code=code)
            await self._tell(what, errors.channel_gone(channel_id, code))

    async def unreachable(self, watch: Watch, code: str) -> None:
        """Say that nobody can be told of a build, which is followed no more; at most every six hours for each person.

        The log has every build.
        """
        log.warning("nobody_can_be_told", pipeline=watch.pipeline_id, watch=watch.id, code=code)
        if await self._is_first(what := f"person:{watch.follower_id or watch.thread.channel_id}"):
            await self._tell(what, errors.unreachable(watch, code))

    async def _is_first(self, what: str) -> bool:
        return await self._claims.first(f"operator:{what}", REPEAT)

    async def _tell(self, what: str, message: Message) -> None:
        """Tell it; what Slack will take later may be told then."""
        if self._channel_id is None:
            return
        try:
            await self._messenger.post(self._channel_id, message)
        except SlackError as slack:
            log.warning("operator_not_told", method=slack.method, code=slack.code)
            if refused(slack.code) is Refused.FOR_NOW:
                await self._claims.release(f"operator:{what}")
                await self._claims.first(f"operator:{what}", SOON)
