"""Tells channels that know a branch red of the build that repairs it, where that is followed in another channel."""

import hashlib
from collections.abc import Sequence

import structlog

from bot.errors import SlackError
from bot.models.build import Build
from bot.models.heard import Heard
from bot.models.refusals import Refused, refused
from bot.models.slack import Watch
from bot.watching.aloud import Aloud, ref_of
from bot.watching.teller import Teller
from formatters.links import Links
from formatters.repaired import repairs

log = structlog.get_logger(__name__)


class Elsewhere:
    """What a channel was told is noted after it was said: what was lost meanwhile is looked for before it is said."""

    def __init__(self, aloud: Aloud, teller: Teller, links: Links) -> None:
        self._aloud = aloud
        self._teller = teller
        self._links = links

    async def tell(self, watches: Sequence[Watch], build: Build) -> None:
        """Tell each in which somebody may look at it, once; what one does not take for now is said at the next look."""
        for channel_id, before in await self._aloud.repaired_elsewhere(watches, build):
            if not await self._teller.may_be_told(channel_id, watches[0].project_slug, ref_of(watches[0], build)):
                continue  # a rule may let it be seen again
            word = repairs(build, watches[0], before, self._links)
            try:
                await self._teller.apart(channel_id, word, _mark(channel_id, before))
            except SlackError as error:
                log.warning("channel_not_told", channel=channel_id, method=error.method, code=error.code)
                if refused(error.code) is not Refused.FOR_GOOD:
                    continue
            await self._aloud.has_heard(channel_id, watches[0], build, before)


def _mark(channel_id: str, before: Heard) -> str:
    return hashlib.sha256(f"{channel_id}:{before.number}:{before.fingerprint}".encode()).hexdigest()[:16]
