"""Tells people of their own builds: one message for each, written anew as it goes on, and each end once.

What is said is posted once by its mark, and kept after it; whoever tells a person of anything does so alone.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from bot.circleci.reads import Reads
from bot.errors import SlackError
from bot.models import holds
from bot.models.build import OPEN_STATES, Build, Run, State
from bot.models.circleci import Job, Pipeline
from bot.models.notices import About, Held, Notice, ToldOf
from bot.models.slack import utc_now
from bot.policy import Word
from bot.store import Store
from bot.watching.branches import is_red, judged_key
from bot.watching.direct import SOON, Direct, Said
from bot.watching.evidence import Evidence
from bot.watching.mine import Owner, Owners
from bot.watching.pings import Pings
from formatters import notices as words
from formatters.buttons import short
from formatters.red import tests_of

LEASE, WAIT = timedelta(seconds=60), timedelta(seconds=2)  # of several builds at once each is told in its turn

BESIDE_A_HOLD = "+"


class Notices:
    """What a thread, or a message about its branch, tells somebody with a ping is not told beside that."""

    def __init__(
        self,
        store: Store,
        looks: Reads,
        owners: Owners,
        direct: Direct,
        pings: Pings,
        said: Said,
        evidence: Evidence,
    ) -> None:
        self._store = store
        self._looks = looks
        self._owners = owners
        self._direct = direct
        self._pings = pings
        self._said = said
        self._evidence = evidence

    async def are_about(self, pipeline: Pipeline) -> bool:
        """Say whether anybody wants to be told of a build as their own."""
        return bool(await self._owners.of(pipeline))

    async def is_read(self, pipeline: Pipeline) -> None:
        """Note whose push a build is that is looked at, for who asks for theirs."""
        await self._owners.note_push(pipeline)

    async def over(self, build: Build) -> timedelta | None:
        """Tell of an end that is certain, however often this is called; returns the pause before another try, if any.

        Raises CircleCIError where it cannot be found out what its project is called.
        """
        pauses = [await self._ends(owner, build) for owner in await self._owners.of(build.pipeline)]
        return max((pause for pause in pauses if pause is not None), default=None)

    async def goes_on(self, build: Build) -> None:
        """Tell of what waits for somebody in a build that has not ended, and show how it stands where they read it.

        Where that is not to be done now, the next look does it.
        """
        for owner in await self._owners.of(build.pipeline) if build.state in OPEN_STATES else ():
            notice = owner.notice
            async with self._store.notices.alone(notice.person_id, LEASE) as is_ours:
                if not is_ours:
                    continue
                try:
                    await self._stands(owner, build)
                except SlackError as error:
                    await self._direct.refused(notice, f"{build.pipeline.id}:{build.mark}", error)

    async def _ends(self, owner: Owner, build: Build) -> timedelta | None:
        notice, key = owner.notice, _key(build)
        async with self._store.notices.alone(notice.person_id, LEASE, wait=WAIT) as is_ours:
            if not is_ours:
                return SOON
            told = await self._told(notice, build)
            if key in told.told or _ended_at(build) < notice.since:
                return None
            try:
                return await self._end(owner, build, told, key)
            except SlackError as error:
                return await self._direct.refused(notice, f"{build.pipeline.id}:{key}", error)

    async def _end(self, owner: Owner, build: Build, told: ToldOf, key: str) -> timedelta | None:
        notice, pipeline = owner.notice, build.pipeline
        if not await self._direct.may(notice, Word.READ, pipeline.project_slug, pipeline.ref):
            return await self._direct.denied(notice, f"{pipeline.id}:{key}")
        is_new = is_wanted(notice.about, build) and not _is_said(build, told)
        is_news = is_new and not await self._hears_otherwise(notice, build)
        is_held = is_new and not is_news and await self._is_held_as_mentioned(owner, build, key)
        if not (is_news or told.root_ts):
            await self._let_go(notice, build, is_held=is_held)
            return None
        mine = await self._mine(owner, build)
        if is_news and await self._direct.is_quiet(notice):
            await self._store.notices.hold(notice.person_id, _held(mine, key))
            if told.root_ts:
                await self._keep(notice, build, await self._direct.show(notice, told, words.root(mine)))
            return None
        if is_news:
            told = await self._direct.say(notice, f"{pipeline.id}:{key}", told, words.root(mine), words.reply(mine))
        else:
            told = await self._direct.show(notice, told, words.root(mine))
        await self._keep(notice, build, told, key)
        await self._let_go(notice, build, is_held=is_held)
        return None

    async def _let_go(self, notice: Notice, build: Build, *, is_held: bool) -> None:
        """Hold nothing of a build any more, unless this end is held as what somebody was mentioned for."""
        if not is_held:
            await self._store.notices.let_go(notice.person_id, build.pipeline.id)

    async def _is_held_as_mentioned(self, owner: Owner, build: Build, key: str) -> bool:
        """Keep what a channel mentioned somebody for in their quiet hours, to stand among what they are told then."""
        channel_id = await self._pings.pinged_in(build, owner.notice.person_id)
        if not channel_id or not await self._direct.is_quiet(owner.notice):
            return False
        held = _held(await self._mine(owner, build), key).model_copy(update={"mentioned_in": channel_id})
        await self._store.notices.hold(owner.notice.person_id, held)
        return True

    async def _stands(self, owner: Owner, build: Build) -> None:
        notice, pipeline = owner.notice, build.pipeline
        told = await self._told(notice, build)
        waits = await self._waits(owner, build)
        keys = {_waits_key(one): one[0] for one in waits}
        new = [key for key in keys if key not in told.told and not await self._is_called(notice, keys[key])]
        if notice.quiet and not build.has_failed_on_hold:
            await self._store.notices.let_go(notice.person_id, pipeline.id)  # it runs again: its end is to come
        if not (new or told.root_ts):
            return
        if not await self._direct.may(notice, Word.READ, pipeline.project_slug, pipeline.ref):
            return
        mine = await self._mine(owner, build, waits)
        if new:
            told = await self._direct.say(
                notice, f"{pipeline.id}:{','.join(new)}", told, words.root(mine), words.reply(mine)
            )
        else:
            told = await self._direct.show(notice, told, words.root(mine))
        await self._keep(notice, build, told, *new)

    async def _waits(self, owner: Owner, build: Build) -> list[tuple[Job, Run]]:
        """Return what waits for somebody's own approval since they want to be told; a list of workflows has no jobs."""
        notice, pipeline = owner.notice, build.pipeline
        if build.state is not State.ON_HOLD or About.WAITING not in notice.about:
            return []
        if not await self._direct.may(notice, Word.APPROVE, pipeline.project_slug, pipeline.ref):
            return []
        if await self._is_followed_there(notice, build):
            return []
        whole = build if any(run.jobs for run in build.runs) else await self._looks.whole(pipeline)
        return [(job, run) for run in whole.runs for job in run.holds if _is_news(notice, job, run, whole)]

    async def _hears_otherwise(self, notice: Notice, build: Build) -> bool:
        """Say whether somebody is told this end anyway, with a ping: by a thread, or in a message about its branch."""
        watches = await self._store.watches.of(build.pipeline.id)
        waits = any(notice.person_id in watch.wait_for_it and watch.known_end != build.fingerprint for watch in watches)
        return waits or await self._pings.is_pinged(build, notice.person_id)

    async def _is_called(self, notice: Notice, job: Job) -> bool:
        """Say whether somebody was asked to approve this in a channel already, with a ping."""
        return await self._pings.is_called(job, notice.person_id)

    async def _is_followed_there(self, notice: Notice, build: Build) -> bool:
        watches = await self._store.watches.of(build.pipeline.id)
        return any(watch.thread.channel_id == notice.channel_id for watch in watches)

    async def _mine(self, owner: Owner, build: Build, waits: Sequence[tuple[Job, Run]] = ()) -> words.Mine:
        title = await self._said.title(build.pipeline.project_slug)
        report = await self._evidence.of(build) if words.state_of(build) is State.FAILED else None
        return words.Mine(build, title, self._said.links, owner.is_asked, waits, report)

    async def _told(self, notice: Notice, build: Build) -> ToldOf:
        return await self._store.notices.told(notice.person_id, build.pipeline.id)

    async def _keep(self, notice: Notice, build: Build, told: ToldOf, *keys: str) -> None:
        now = told.model_copy(update={"told": told.told | {*keys}})
        await self._store.notices.save_told(notice.person_id, build.pipeline.id, now)


def is_wanted(about: Collection[About], build: Build) -> bool:
    """Say whether somebody who wants this is told of an end; what was superseded, or ran nothing, is no news. Pure."""
    if is_red(build):
        return not {About.FAILED, About.ENDED}.isdisjoint(about)
    return About.ENDED in about and (is_red(build) is False or build.state is State.CANCELED)


def _key(build: Build) -> str:
    """Name what is told: an attempt, and once more when what was on hold beside its failure is over."""
    return judged_key(build) + (BESIDE_A_HOLD if build.has_failed_on_hold else "")


def _is_said(build: Build, told: ToldOf) -> bool:
    """Say whether somebody knows that this attempt failed, since before what was on hold beside that was over."""
    return bool(is_red(build)) and judged_key(build) + BESIDE_A_HOLD in told.told


def _is_news(notice: Notice, job: Job, run: Run, build: Build) -> bool:
    """Say whether something waits only since somebody wants to be told of that."""
    since = holds.open_since(job, run.workflow, run.jobs)
    return since is None or _by_our_clock(since, build) >= (notice.waiting_since or notice.since)


def _ended_at(build: Build) -> datetime:
    """Return when a build ended, on our own clock."""
    return _by_our_clock(build.stopped_at or build.read_at, build)


def _by_our_clock(moment: datetime, build: Build) -> datetime:
    """Return when something was by our own clock; CircleCI's may be another."""
    return utc_now() - (build.read_at - moment)


def _waits_key(waits: tuple[Job, Run]) -> str:
    return f"waits:{waits[0].id}"


def _held(mine: words.Mine, key: str) -> Held:
    build, pipeline = mine.build, mine.build.pipeline
    return Held(
        key=key,
        pipeline_id=pipeline.id,
        number=pipeline.number,
        project_slug=pipeline.project_slug,
        title=mine.title,
        ref=pipeline.ref,
        state=words.state_of(build),
        took=build.elapsed if build.runs else timedelta(0),
        failed=tuple(job.name for run in build.real_runs for job in run.failed_jobs)[:3],
        tests=tuple(short(test.name or test.classname, 200) for test in tests_of(mine.report)[:3]),
        tests_failed=mine.report.tests_failed if mine.report else 0,
        build=_outline(build) if words.state_of(build) is State.FAILED else None,
    )


def _outline(build: Build) -> Build:
    return build.model_copy(update={"runs": tuple(run.model_copy(update={"jobs": ()}) for run in build.runs)})
