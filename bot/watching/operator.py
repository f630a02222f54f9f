"""What the operator is told, in OPERATOR_CHANNEL and in the log: the beginning of trouble, once."""

import secrets
from datetime import timedelta

import structlog

from bot.circleci.reads import Reads
from bot.errors import SlackError, Unauthorized
from bot.messenger import Messenger
from bot.store.claims import Claims
from formatters import errors
from formatters.blocks import Message

log = structlog.get_logger(__name__)

REPEAT = timedelta(hours=6)
DAILY = timedelta(hours=24)


class Operator:
    """Tells whoever runs the bot; without a channel the log alone."""

    def __init__(self, messenger: Messenger, claims: Claims, channel_id: str | None) -> None:
        self._messenger = messenger
        self._claims = claims
        self._channel_id = channel_id

    async def token_refused(self, name: str = "") -> None:
        """Say that CircleCI does not take a token, that of `name` or the default one; at most every six hours."""
        if await self._is_first(f"circleci-token:{name}"):
            log.error("circleci_token_refused", token=name or "CIRCLECI_TOKEN")
            await self._tell(errors.token_refused(name))

    async def check_tokens(self, circleci: Reads) -> None:
        """Ask CircleCI whose each token is, once a day over all processes, before somebody needs it at night."""
        if not await self._claims.first("tokens-checked", DAILY):
            return
        for name, owner in (await circleci.owners()).items():
            if isinstance(owner, Unauthorized):
                await self.token_refused(name)

    async def channel_gone(self, channel_id: str, code: str) -> None:
        """Say that a channel takes our messages no more; at most every six hours for each."""
        if await self._is_first(f"channel:{channel_id}"):
            log.warning("channel_gone", channel=channel_id, code=code)
            await self._tell(errors.channel_gone(channel_id, code))

    async def _is_first(self, what: str) -> bool:
        mine = secrets.token_hex(8)
        return await self._claims.claim(f"operator:{what}", mine, REPEAT) == mine

    async def _tell(self, message: Message) -> None:
        if self._channel_id is None:
            return
        try:
            await self._messenger.post(self._channel_id, message)
        except SlackError as slack:
            log.warning("operator_not_told", method=slack.method, code=slack.code)
