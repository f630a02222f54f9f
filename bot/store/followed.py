"""What a channel follows, newest first, as it stood at the last look."""

from typing import NamedTuple

from bot.models.build import Build, Run, State
from bot.models.circleci import PipelineId
from bot.models.slack import Watch
from bot.store.connection import Connection
from bot.store.watches import Watches


class Followed(NamedTuple):
    """A thread of the channel, and its build if there was a look at it; of one that `is_polled` news is still seen."""

    watch: Watch
    build: Build | None
    is_polled: bool

    @property
    def state(self) -> State:
        """How it stood; before the first look nothing of it has begun, as far as anybody knows."""
        return self.build.state if self.build else State.WAITING

    @property
    def runs(self) -> tuple[Run, ...]:
        """Its workflows, as far as there was a look at them."""
        return self.build.runs if self.build else ()

    @property
    def is_over(self) -> bool:
        """Say whether it is certain that this attempt has ended: the thread was told so, or nobody looks any more."""
        told = (self.watch.closing.fingerprint if self.watch.closing else "", self.watch.known_end)
        return not self.is_polled or (self.build is not None and self.build.fingerprint in told)


class FollowedHere:
    """Reads alone, in three round trips; what another version alone can read is left out."""

    def __init__(self, connection: Connection, watches: Watches) -> None:
        self._connection = connection
        self._watches = watches

    async def lately(self, channel_id: str, newest: int, polled: int) -> tuple[list[Followed], bool]:
        """Return the `newest` builds that a channel follows, and so many of those that are `polled`, in each thread.

        It says too whether there are more that are polled: what waits for an approval may do so for long.
        """
        kept = self._connection.redis.zrevrange(self._connection.key("numbered", channel_id), 0, -1)
        ids = [PipelineId(str(one).partition(" ")[2]) for one in await self._connection.ask(kept)]
        watched = await self._watches.watched(ids)
        looked_at = [one for one in ids if one in watched]
        chosen = [one for one in ids if one in {*ids[:newest], *looked_at[:polled]}]
        found = zip(chosen, await self._watches.seen(chosen), strict=True)
        here = [
            Followed(watch, seen.build, one in watched)
            for one, seen in found
            for watch in seen.watches
            if watch.thread.channel_id == channel_id
        ]
        return here, len(looked_at) > polled
