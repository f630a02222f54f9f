"""What a job did, for both generations: steps and their logs, which API v1.1 alone tells, and stored files."""

from bot.circleci import v1
from bot.circleci.answers import decode, project_path
from bot.circleci.outputs import LONGEST_READ, MOST_BYTES, OutputTail, read_tail
from bot.circleci.transport import Transport
from bot.models.circleci import ClassicBuild


class CircleCIEvidence:
    """`protocols.Evidence` at CircleCI."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._v1 = v1.Api(transport)

    async def job_steps(self, slug: str, number: int) -> ClassicBuild:
        """Return a job with its steps; those of an old job are gone."""
        return decode(ClassicBuild, (await self._v1.get(project_path(slug, number))).data)

    async def output(self, url: str, max_bytes: int = MOST_BYTES, deadline_seconds: float = LONGEST_READ) -> OutputTail:
        """Return the end of the log behind an `output_url`, in bounded memory and time.

        The address is good for minutes, needs no login and is a secret: it is never logged or kept.
        """
        return await read_tail(self._transport.download(url, deadline_seconds=deadline_seconds), max_bytes)

    async def artifact(self, url: str, max_bytes: int) -> bytes | None:
        """Return a stored file, None when it is larger than `max_bytes`."""
        return await self._transport.artifact(url, max_bytes=max_bytes)
