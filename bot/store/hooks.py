"""Which projects' webhooks arrive, and when the last of each happened."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from bot.models.slugs import spelled_alike
from bot.store.connection import Connection

KEPT = timedelta(days=1)
LAST = "last"


class Hooks:
    """Each by a project's slug, however it is spelled; the times are those of the far side's clock."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def heard(self, slugs: Iterable[str], at: datetime) -> None:
        """Note that a project's webhook of something that happened then has come; they may come in any order."""
        pipeline = self._connection.redis.pipeline(transaction=True)
        for key in {self._key(slug) for slug in slugs if slug}:
            pipeline.zadd(key, {LAST: at.timestamp()}, gt=True)
            pipeline.expire(key, KEPT)
        await self._connection.ask(pipeline.execute())

    async def last(self, slug: str) -> datetime | None:
        """Return when the last that came happened; None where none has come lately, or one was missed since."""
        seconds = await self._connection.ask(self._connection.redis.zscore(self._key(slug), LAST))
        return None if seconds is None else datetime.fromtimestamp(float(seconds), UTC)

    async def missed(self, slug: str) -> None:
        """Note that something happened of which no webhook told."""
        await self._connection.ask(self._connection.redis.delete(self._key(slug)))

    def _key(self, slug: str) -> str:
        return self._connection.key("hooks", spelled_alike(slug))
