"""What a job did, for both generations: steps and their logs, which API v1.1 alone tells, and stored files."""

from bot.circleci import v1, v2
from bot.circleci.answers import decode, project_path
from bot.circleci.outputs import LONGEST_READ, MOST_BYTES, OutputTail, read_tail
from bot.circleci.transport import Transport
from bot.errors import CircleCIError
from bot.models.circleci import FAILED_JOB_STATUSES, ClassicBuild, JobDetails, JobMessage
from bot.triage.attempts import newest_steps


class CircleCIEvidence:
    """`protocols.Evidence` at CircleCI."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._v1, self._v2 = v1.Api(transport), v2.Api(transport)

    async def job_steps(self, slug: str, number: int) -> ClassicBuild:
        """Return a job with the newest attempt of each step; those of an old job are gone.

        Where no step says why it failed, API v2 is asked as well: one that never ran is explained there alone.
        """
        found = decode(ClassicBuild, (await self._v1.get(project_path(slug, number))).data)
        found = found.model_copy(update={"steps": newest_steps(found.steps)})
        if found.has_failing_step or found.reasons or found.status not in FAILED_JOB_STATUSES:
            return found
        return found.model_copy(update={"messages": await self._messages(slug, number)})

    async def _messages(self, slug: str, number: int) -> tuple[JobMessage, ...]:
        try:
            return decode(JobDetails, (await self._v2.get(project_path(slug, "job", number))).data).messages
        except CircleCIError:
            return ()  # a project of API v1.1 alone, or an answer that would only have explained

    async def output(self, url: str, max_bytes: int = MOST_BYTES, deadline_seconds: float = LONGEST_READ) -> OutputTail:
        """Return the end of the log behind an `output_url`, in bounded memory and time.

        The address is good for minutes, needs no login and is a secret: it is never logged or kept.
        """
        return await read_tail(self._transport.download(url, deadline_seconds=deadline_seconds), max_bytes)

    async def artifact(self, url: str, max_bytes: int) -> bytes | None:
        """Return a stored file, None when it is larger than `max_bytes`."""
        return await self._transport.artifact(url, max_bytes=max_bytes)
