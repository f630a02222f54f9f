"""What CircleCI lists of a branch around a build that is told of, read once for all channels, where one has to know."""

from collections.abc import Sequence
from contextlib import suppress

from bot.circleci.reads import Reads
from bot.errors import CircleCIError
from bot.models.build import Build
from bot.models.circleci import Pipeline, PipelineId
from bot.models.red import Branch
from bot.models.subscription import Subscription
from bot.watching.branches import is_judged, is_red

MOST_LOOKED_AT = 10
A_PAGE = 10  # builds, that a list has at the least where more of them follow


class Earlier:
    """The builds of a branch before one of them, newest first."""

    def __init__(self, reads: Reads, build: Build, branch: str) -> None:
        self._reads = reads
        self._slug, self._number, self._branch = build.pipeline.project_slug, build.pipeline.number, branch
        self._listed: Sequence[Pipeline] | None = None
        self._read: dict[PipelineId, Build] = {}

    async def begins_with(self, number: int) -> bool:
        """Say whether the one before has this number, or with 0 whether there is none; False where nobody knows."""
        with suppress(CircleCIError):
            earlier = await self._earlier()
            reaches_back = bool(earlier) or len(self._listed or ()) < A_PAGE
            return reaches_back and number == max((one.number for one in earlier), default=0)
        return False

    async def repair(self, state: Branch, rule: Subscription) -> Build | None:
        """Return the newest that passed after what a channel knows of its red branch, and before this one.

        As a rule is about it, that is.

        None is to be expected: it takes a build of which the channel was not told. Raises CircleCIError.
        """
        if self._number <= state.number + 1:
            return None
        between = [one for one in await self._earlier() if one.number > state.number and rule.is_by(one.actor)]
        for pipeline in between[:MOST_LOOKED_AT]:
            build = rule.seen(await self._outline(pipeline))
            if build and is_red(build) is False and not is_judged(build, state):
                return build
        return None

    async def _earlier(self) -> list[Pipeline]:
        if self._listed is None:
            self._listed = await self._reads.pipelines(self._slug, self._branch)
        return sorted((one for one in self._listed if one.number < self._number), key=lambda one: -one.number)

    async def _outline(self, pipeline: Pipeline) -> Build:
        if pipeline.id not in self._read:
            self._read[pipeline.id] = await self._reads.outline(pipeline)
        return self._read[pipeline.id]
