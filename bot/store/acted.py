"""What last made a pipeline run again."""

from bot.models.circleci import PipelineId
from bot.store.connection import Connection


class Acted:
    """An act is `<delivery id>|<user id>`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def last(self, pipeline_id: PipelineId) -> str | None:
        """Return what last reran the pipeline from Slack, and who."""
        key = self._connection.key("acted", pipeline_id)
        act = await self._connection.ask(self._connection.redis.get(key))
        return None if act is None else str(act)

    async def save(self, pipeline_id: PipelineId, act: str) -> None:
        """Remember what reran the pipeline."""
        key = self._connection.key("acted", pipeline_id)
        await self._connection.ask(self._connection.redis.set(key, act, ex=self._connection.retention))
