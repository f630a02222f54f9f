"""What the operator is told, in OPERATOR_CHANNEL and in the log: the beginning of trouble, once."""

import secrets
from datetime import timedelta

import structlog

from bot.errors import CircleCIError, SlackError
from bot.messenger import Messenger
from bot.store import Store
from formatters import errors

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
        await self._once("circleci-token", error)

    async def _once(self, what: str, error: CircleCIError) -> None:
        mine = secrets.token_hex(8)
        if await self._store.claim(f"operator:{what}", mine, REPEAT) != mine:
            return
        log.error("circleci_token_refused")
        if self._channel_id is None:
            return
        try:
            await self._messenger.post(self._channel_id, errors.operator(error))
        except SlackError as slack:
            log.warning("operator_not_told", method=slack.method, code=slack.code)
