"""What CircleCI lists of a branch around a build that is told of, read once for all channels, where one has to know."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from bot.circleci.reads import Reads
from bot.errors import CircleCIError, Rejected
from bot.models.build import Build
from bot.models.circleci import Pipeline, PipelineId
from bot.models.red import Branch
from bot.models.subscription import Subscription
from bot.watching.branches import is_judged, is_red
from bot.watching.read_on import A_PAGE, PAGES, read_on

MOST_LOOKED_AT = 50


class Earlier:
    """The builds of a branch before one of them, newest first; and the jobs of that."""

    def __init__(self, reads: Reads, build: Build, branch: str) -> None:
        self._reads = reads
        self._slug, self._number, self._branch = build.pipeline.project_slug, build.pipeline.number, branch
        self._listed: Sequence[Pipeline] | None = None
        self._since: int | None = None  # the number as far as which it was read on, or as it was to be had
        self._whole: Build | None = None
        self._read: dict[PipelineId, Build] = {}

    async def begins_with(self, number: int) -> bool:
        """Say whether the one before has this number, or with 0 whether there is none; False where nobody knows."""
        with suppress(CircleCIError):
            earlier = await self._earlier()
            if not earlier and len(self._listed or ()) < A_PAGE:
                earlier = await self._earlier(0)  # those of forks may stand before them
            reaches_back = bool(earlier) or len(self._listed or ()) < A_PAGE
            return reaches_back and number == max((one.number for one in earlier), default=0)
        return False

    async def repair(self, state: Branch, rule: Subscription) -> Build | None:
        """Return what repaired a red branch after all that a channel knows of it, and before this build.

        As a rule is about it: the first that passed since one failed last, or else the build that the channel knows,
        if that passed when it ran again. None is to be expected: it takes a build of which the channel was not told.
        What CircleCI does not know any more has repaired nothing; raises CircleCIError for anything else.
        """
        earlier = await self._earlier(state.number)
        between = [one for one in earlier if one.number >= state.number and rule.is_by(one.actor)]
        found = None
        for pipeline in between[:MOST_LOOKED_AT]:
            if found and pipeline.number == state.number:
                break
            build = await self._seen(pipeline, rule)
            if build is None or is_red(build) is None or is_judged(build, state):
                continue
            if is_red(build) and found:
                break
            found = found if is_red(build) else build
        return found

    async def _seen(self, pipeline: Pipeline, rule: Subscription) -> Build | None:
        """Return a build as a rule is about it; None where it is not, or where nobody knows it any more."""
        try:
            return rule.seen(await self._outline(pipeline))
        except Rejected as error:
            if not error.is_gone:
                raise
        return None

    async def whole(self, build: Build) -> Build:
        """Return the build itself with the jobs of these workflows, as far as they are its newest ones still."""
        if all(run.jobs for run in build.runs):
            return build
        if self._whole is None:
            self._whole = await self._reads.whole(build.pipeline)
        runs = {run.workflow.id: run for run in self._whole.runs}
        return build.model_copy(update={"runs": tuple(runs.get(run.workflow.id, run) for run in build.runs)})

    async def _earlier(self, since: int | None = None) -> list[Pipeline]:
        """Return those of the newest page before this one; with `since` on as far as the one with that number."""
        if self._listed is None:
            self._listed = await self._reads.pipelines(self._slug, self._branch)
        reaches = partial(_reaches, number=since or 0)
        if since is not None and not reaches(self._listed) and (self._since is None or since < self._since):
            self._listed = await read_on(self._reads, self._slug, self._branch, reaches, PAGES[1:])
            self._since = since
        return sorted((one for one in self._listed if one.number < self._number), key=lambda one: -one.number)

    async def _outline(self, pipeline: Pipeline) -> Build:
        if pipeline.id not in self._read:
            self._read[pipeline.id] = await self._reads.outline(pipeline)
        return self._read[pipeline.id]


def _reaches(listed: Sequence[Pipeline], number: int) -> bool:
    return any(one.number <= number for one in listed)
