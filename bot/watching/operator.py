"""What the operator is told, in OPERATOR_CHANNEL and in the log: the beginning of trouble, once."""

import secrets
from datetime import timedelta

import structlog

from bot.errors import CircleCIError, SlackError
from bot.messenger import Messenger
from bot.store import Store
from formatters import errors
from formatters.blocks import Message

log = structlog.get_logger(__name__)

REPEAT = timedelta(hours=6)


class Operator:
    """Tells whoever runs the bot; without a channel the log alone."""

    def __init__(self, messenger: Messenger, store: Store, channel_id: str | None) -> None:
        self._messenger = messenger
        self._store = store
        self._channel_id = channel_id

    async def token_refused(self, error: CircleCIError) -> None:
        """Say that CircleCI does not take the token; at most every six hours, over all processes."""
        if await self._is_first("circleci-token"):
            log.error("circleci_token_refused")
            await self._tell(errors.operator(error))

    async def channel_gone(self, channel_id: str, code: str) -> None:
        """Say that a channel takes our messages no more; at most every six hours for each."""
        if await self._is_first(f"channel:{channel_id}"):
            log.warning("channel_gone", channel=channel_id, code=code)
            await self._tell(errors.channel_gone(channel_id, code))

    async def _is_first(self, what: str) -> bool:
        mine = secrets.token_hex(8)
        return await self._store.claim(f"operator:{what}", mine, REPEAT) == mine

    async def _tell(self, message: Message) -> None:
        if self._channel_id is None:
            return
        try:
            await self._messenger.post(self._channel_id, message)
        except SlackError as slack:
            log.warning("operator_not_told", method=slack.method, code=slack.code)
