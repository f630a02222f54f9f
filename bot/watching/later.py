"""Tells people once a minute what comes without a build: the end of their quiet hours, and who waits for their word."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta

import structlog

from bot.answers.mine import MyWait
from bot.errors import CircleCIError, SlackError, Unreadable
from bot.models.build import State
from bot.models.caller import Caller
from bot.models.notices import About, Held, Notice, ToldOf
from bot.models.pending import Pending
from bot.policy import Word
from bot.store import Store
from bot.watching.direct import Direct, Said, caller_of
from formatters import notices as words

LEASE, WAIT = timedelta(seconds=60), timedelta(seconds=5)
REQUESTS = "requests"  # in the place of a build: `<pending id> <ts>` of what somebody was told that waits for them
# What of these acts waits for somebody's word as the second person, in words.
Waits = Callable[[Caller, Sequence[Pending]], Awaitable[Sequence[tuple[Pending, MyWait]]]]
log = structlog.get_logger(__name__)


class Later:
    """What one person cannot be told costs the others nothing, and is tried at the next time."""

    def __init__(self, store: Store, direct: Direct, said: Said, waits: Waits) -> None:
        self._store = store
        self._direct = direct
        self._said = said
        self._waits = waits

    async def __call__(self) -> None:
        """Tell what is due."""
        for person_id in await self._store.notices.holding():
            await self._after_quiet(person_id)
        if await self._store.notices.any():
            await self._requests()

    async def _after_quiet(self, person_id: str) -> None:
        notice = await self._store.notices.get(person_id)
        if notice is None:
            await self._store.notices.let_go(person_id)
            return
        if await self._direct.is_quiet(notice):
            return
        async with self._store.notices.alone(person_id, LEASE, wait=WAIT) as is_ours:
            if is_ours:
                await self._tried(notice, "quiet", self._told_what_is_held(notice))

    async def _told_what_is_held(self, notice: Notice) -> None:
        """Tell in one message what ended meanwhile and still is so, as far as they may look at it."""
        held = await self._store.notices.held(notice.person_id)
        wanted = [one for one in held if is_still_wanted(notice, one)]
        ends = [one for one in wanted if await self._direct.may(notice, Word.READ, one.project_slug, one.ref)]
        ids = await self._store.notices.held_ids(notice.person_id)
        if any(not one.mentioned_in for one in ends):
            name = "quiet:" + ",".join(f"{one.pipeline_id}:{one.key}" for one in ends)
            forgotten = len(ids) - len(held)
            await self._direct.post(notice, name, words.held(ends, self._said.links, forgotten=forgotten))
        for one in ends:
            told = await self._store.notices.told(notice.person_id, one.pipeline_id)
            now = told.model_copy(update={"told": told.told | {one.key}})
            await self._store.notices.save_told(notice.person_id, one.pipeline_id, now)
        denied = [one for one in wanted if one not in ends]
        kept = [one.pipeline_id for one in denied if await self._is_asked_again(notice, f"{one.pipeline_id}:{one.key}")]
        if not kept:
            await self._store.notices.let_go(notice.person_id)
        elif gone := [one for one in ids if one not in kept]:
            await self._store.notices.let_go(notice.person_id, *gone)

    async def _is_asked_again(self, notice: Notice, what: str) -> bool:
        """Say whether what is denied to somebody by now is to be asked at the next time: Slack may not answer."""
        return await self._direct.denied(notice, what) is not None

    async def _requests(self) -> None:
        pending = [one for one in await self._store.pending.waiting() if one.waits_for_a_word and one.is_asked]
        for notice in await self._store.notices.all():
            told = await self._store.notices.told(notice.person_id, REQUESTS)
            if not (told.told or (pending and About.WAITING in notice.about)):
                continue
            async with self._store.notices.alone(notice.person_id, LEASE, wait=WAIT) as is_ours:
                if is_ours:
                    await self._tried(notice, REQUESTS, self._told_of_requests(notice, pending))

    async def _told_of_requests(self, notice: Notice, pending: Sequence[Pending]) -> None:
        told = await self._store.notices.told(notice.person_id, REQUESTS)
        known = dict(one.split(" ") for one in told.told)
        waiting = {one.id for one in pending}
        for pending_id in known.keys() - waiting:
            await self._is_over(notice, pending_id, known.pop(pending_id))
            await self._keep(notice, known)
        for one, wait in await self._new(notice, [one for one in pending if one.id not in known]):
            known[one.id] = await self._direct.post(notice, f"request:{one.id}", words.request(wait))
            await self._keep(notice, known)

    async def _new(self, notice: Notice, pending: Sequence[Pending]) -> Sequence[tuple[Pending, MyWait]]:
        """Return what waits for somebody, and they were not asked about before: who may and who reads it is asked once.

        Where it is denied that is asked again a few times. What they asked for themselves they know.
        """
        if About.WAITING not in notice.about:
            return ()
        claims, person_id = self._store.claims, notice.person_id
        others = [one for one in pending if one.asker.person_id != person_id or one.asker.agent]
        names = {one.id: f"request-looked-at:{one.id}:{person_id}" for one in others}
        new = [one for one in others if not await claims.is_taken(names[one.id])]
        found = await self._waits(caller_of(notice), new) if new else ()
        meant = {one.id for one, _ in found}
        for one in new:
            if one.id not in meant and not await self._is_asked_again(notice, f"request:{one.id}"):
                await claims.first(names[one.id])
        return found

    async def _is_over(self, notice: Notice, pending_id: str, ts: str) -> None:
        with suppress(Unreadable):
            if pending := await self._store.pending.get(pending_id):
                await self._direct.show(notice, ToldOf(root_ts=ts), words.waits_no_more(pending))

    async def _keep(self, notice: Notice, known: dict[str, str]) -> None:
        now = ToldOf(told=frozenset(f"{pending_id} {ts}" for pending_id, ts in known.items()))
        await self._store.notices.save_told(notice.person_id, REQUESTS, now)

    async def _tried(self, notice: Notice, what: str, telling: Awaitable[None]) -> None:
        try:
            await telling
        except SlackError as error:
            await self._direct.refused(notice, what, error)
        except CircleCIError as error:
            log.info("not_told_later", person=notice.person_id, error=repr(error))


def is_still_wanted(notice: Notice, end: Held) -> bool:
    """Say whether somebody still wants to be told of what was held. Pure."""
    is_good = end.state in (State.PASSED, State.CANCELED)
    return About.ENDED in notice.about or (About.FAILED in notice.about and not is_good)
