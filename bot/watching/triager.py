"""Completes a final reply in place with what earlier builds tell: nobody waits for that."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

import structlog

from bot.circleci.asked import one_question
from bot.circleci.history import History
from bot.circleci.reads import Reads
from bot.circleci.triage import triage
from bot.errors import CircleCIError, SlackError, SlackLimited, StoreError, Unreadable
from bot.models.build import Build, Report, State
from bot.models.circleci import PipelineId
from bot.models.history import Advice, Extent
from bot.models.slack import Watch
from bot.settings import Projects, Settings
from bot.store import Store
from bot.triage.diagnosis import Triage
from bot.watching import aloud
from bot.watching.changes import FINAL
from bot.watching.engine import RERUN_ONCE, Engine
from bot.watching.teller import Teller
from formatters import final
from formatters.blocks import Message
from formatters.closing import closing
from formatters.links import Links
from formatters.repaired import repaired

log = structlog.get_logger(__name__)

# A comparison waits for its turns at CircleCI, and a worker has only so many hands: some stay free for people.
AT_ONCE, TRY_AGAIN = 8, timedelta(seconds=2)
MOST_TRIES = 10  # to complete a reply that Slack would not take
LONGEST_PAUSE = 60  # poll intervals between two of them
KEPT = timedelta(days=1)  # as long as the end of a build
BROKEN = Triage(extent=Extent(base=""), problem="something broke on my side")
JUDGED = frozenset({State.FAILED, State.PASSED})


class Past(NamedTuple):
    """Where the past is read from, after everybody else: it is not urgent."""

    circleci: Reads
    history: History


class Triager:
    """Reads, judges, and writes the final replies of a build anew, once each."""

    def __init__(
        self,
        settings: Settings,
        projects: Projects,
        store: Store,
        past: Past,
        teller: Teller,
        engine: Engine,
        links: Links,
    ) -> None:
        self._settings = settings
        self._projects = projects
        self._store = store
        self._past = past
        self._teller = teller
        self._engine = engine
        self._links = links
        self._aloud = aloud.Aloud(projects, store.ends)
        self._at_work = 0

    async def triage(self, pipeline_id: PipelineId, fingerprint: str) -> timedelta | None:
        """Complete what is not complete yet; returns when to try again: many are being compared, or Slack is busy."""
        if self._at_work >= AT_ONCE:
            return TRY_AGAIN
        self._at_work += 1
        try:
            return await self._triage(pipeline_id, fingerprint)
        finally:
            self._at_work -= 1

    async def _triage(self, pipeline_id: PipelineId, fingerprint: str) -> timedelta | None:
        """Compare and complete, also where somebody has rerun it meanwhile."""
        try:
            ended = await self._store.past.ended(pipeline_id)
        except Unreadable:  # another version's: it is left to a worker that can read it, for a while
            return next_try(await self._tries(pipeline_id, fingerprint), (), self._settings.poll_interval)
        if ended is None or ended.build.fingerprint != fingerprint:
            return None
        build, evidence = ended.build, ended.report
        may_rerun = self._may_rerun(build)
        if not may_rerun and not waiting(await self._store.watches.of(pipeline_id), build):
            return None
        found = await self._found(build, evidence)
        if refusals := await self._complete(build, evidence, found):
            tries = await self._tries(pipeline_id, fingerprint)
            if (pause := next_try(tries, refusals, self._settings.poll_interval)) is not None:
                return pause
            log.warning("reply_not_completed", pipeline=pipeline_id, tries=tries)
        if may_rerun and found.advice is Advice.RERUN:
            await self._engine.add(RERUN_ONCE, pipeline_id, fingerprint)
        return None

    async def _found(self, build: Build, evidence: Report) -> Triage:
        last = self._settings.history_builds
        try:
            with one_question():
                return await triage(self._past.circleci, self._past.history, build, evidence, last=last)
        except CircleCIError as error:
            log.info("history_unreadable", pipeline=build.pipeline.id, error=repr(error))
            return Triage(extent=Extent(base=""), problem="CircleCI did not answer")
        except StoreError:
            raise
        except Exception:  # a thread must not wait for ever for what does not come
            log.exception("comparison_broke", pipeline=build.pipeline.id)
            return BROKEN

    async def _tries(self, pipeline_id: PipelineId, fingerprint: str) -> int:
        return await self._store.claims.count(f"complete:{pipeline_id}:{fingerprint}", KEPT)

    async def _complete(self, build: Build, evidence: Report, found: Triage) -> list[SlackError]:
        """Write the final replies anew; returns what Slack said to those that it would not take."""
        lease, pipeline_id = self._settings.lease, build.pipeline.id
        refusals: list[SlackError] = []
        async with self._store.watches.fence(pipeline_id, lease, wait=lease):
            seen = (await self._store.watches.last_look(pipeline_id)).build
            is_newest = seen is not None and seen.fingerprint == build.fingerprint
            watches = await self._store.watches.of(pipeline_id)
            speakers = aloud.speakers(watches, build)
            for watch in waiting(watches, build):
                about = final.for_the_channel(build, watch, self._links) if aloud.key(build) in watch.told else None
                posted = final.final(build, evidence, watch, self._links, comparing=True, about=about)
                message = self._completed(build, evidence, watch, found, about)
                also: tuple[str, ...] = ()
                try:
                    if is_newest:  # of a build that runs again the root tells that
                        said = closing(build, evidence, found)
                        watch = await self._teller.conclude(watch, build, said)  # noqa: PLW2901  # as recorded
                        also = await self._tell_repair(watch, build, found, speaks=watch.id in speakers)
                    await self._teller.complete(watch, judged_key(build), message if message != posted else None, *also)
                except SlackError as error:
                    log.warning("thread_not_told", pipeline=pipeline_id, method=error.method, code=error.code)
                    refusals.append(error)
        return refusals

    async def _tell_repair(self, watch: Watch, build: Build, found: Triage, *, speaks: bool) -> tuple[str, ...]:
        """Tell the channel what a green build repairs, which is known after its final reply; returns what it heard.

        Slack broadcasts no reply and edits it at once (`no_dual_broadcast_content_update`), so it is a word of its own.
        """
        turned = await self._aloud.repair(watch, build, found)
        if turned is None:
            return ()
        if speaks:
            word = repaired(build, watch, turned, self._links)
            await self._teller.once(watch, aloud.key(build), word, aloud=True)
        return (aloud.key(build),)

    def _completed(
        self, build: Build, evidence: Report, watch: Watch, found: Triage, about: final.About | None
    ) -> Message:
        try:
            return final.final(build, evidence, watch, self._links, found, about=about)
        except Exception:  # as above: what it stands for must not stay open
            log.exception("verdicts_broke", pipeline=build.pipeline.id)
            return final.final(build, evidence, watch, self._links, BROKEN, about=about)

    def _may_rerun(self, build: Build) -> bool:
        """Say whether the project lets its builds rerun by themselves, and this one has not been rerun yet."""
        first = all(run.attempt == 1 for run in build.real_runs)
        return build.state is State.FAILED and first and self._projects.reruns_once(build.pipeline.project_slug)


def next_try(tries: int, refusals: Sequence[SlackError], interval: timedelta) -> timedelta | None:
    """Return the pause before the next try, longer after each, and as long as Slack asks; None after the last."""
    if tries >= MOST_TRIES:
        return None
    asked = [error.retry_after for error in refusals if isinstance(error, SlackLimited)]
    return max([interval * min(1 << tries, LONGEST_PAUSE), *asked])


def waiting(watches: Sequence[Watch], build: Build) -> list[Watch]:
    """Return the threads whose final reply is not completed yet."""
    return [
        watch
        for watch in watches
        if watch.final_ts and judged_key(build) not in watch.told and _last_final(watch) == final_key(build)
    ]


def _last_final(watch: Watch) -> str:
    return next((key for key in reversed(watch.told) if key.startswith("final:")), "")


def final_key(build: Build) -> str:
    """Names the final reply of this attempt."""
    return f"{FINAL}{build.fingerprint}"


def judged_key(build: Build) -> str:
    """Names its completion."""
    return f"judged:{build.fingerprint}"
