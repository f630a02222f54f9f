"""Show somebody their own builds: what they asked for, ran again or follow, and what of it waits for them."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from bot.answers.mine import MyBuild, MyBuilds, MyWait
from bot.errors import CircleCIError, NotAllowed
from bot.models.build import OPEN_STATES, Build, State
from bot.models.caller import Caller
from bot.models.circleci import Pipeline, ProjectSlug, Ref
from bot.models.help import CommandHelp
from bot.models.pending import Approval, Pending, Wish
from bot.models.slack import Watch
from bot.policy import Word
from bot.requests import Nothing, parse_nothing
from bot.routing import Context, Router
from bot.store.own import MOST, Owned
from bot.store.watches import Seen
from commands.waiting import as_wait, waiting_for

HELP = CommandHelp(
    name="mine",
    group="Look",
    summary="Show your own builds: what you asked me for, ran again or follow, and what waits for you.",
    usage="mine",
    example="mine",
    phrases=("mine",),
)
MOST_SHOWN, MOST_WAITING = 8, 5  # each build is read at CircleCI


class _Mine(NamedTuple):
    """A build of somebody's, as the store knows it."""

    owned: Owned
    seen: Seen
    news: Pipeline | None = None

    @property
    def place(self) -> tuple[ProjectSlug, Ref | None] | None:
        """The project, and the branch or the tag, as far as anything is kept of it."""
        if self.seen.build is not None:
            return self.seen.build.pipeline.project_slug, self.seen.build.pipeline.ref
        if self.seen.watches:
            return self.seen.watches[0].project_slug, self.seen.watches[0].ref
        return (self.news.project_slug, self.news.ref) if self.news else None

    @property
    def is_open(self) -> bool:
        """It had not ended at the last look, or nobody has looked yet."""
        return self.seen.build is None or self.seen.build.state in OPEN_STATES


async def mine(request: Nothing, caller: Caller, context: Context) -> MyBuilds:
    """Answer with them; what somebody may not read any more is left out, and not counted either."""
    pending = await context.store.pending.waiting()
    waiting = await waiting_for(caller, pending, partial(_may_of, context), context.whereabouts)
    requests = [one for one in pending if one.waits_for_a_word and one.is_asked]
    owned = await _owned(caller, context)
    kept = await _kept(owned, caller, context)
    chosen = sorted(kept, key=lambda one: not one.is_open)[:MOST_SHOWN]
    read = await asyncio.gather(*(_shown(one, requests, caller, context) for one in chosen))
    shown = [one for one in read if one is not None and await _may_read(one.build, caller, context)]
    unsent = await context.store.attempts.unsent_of(caller.person_id, await context.store.now())
    return MyBuilds(
        unsent=tuple([one for one in unsent if await context.finder.may_read(caller, one.project_slug, one.ref)]),
        waiting=tuple(await asyncio.gather(*(_wait(one, caller, context) for one in waiting[:MOST_WAITING]))),
        builds=tuple(sorted(shown, key=_order)),
        more=len(kept) - len(chosen),
        more_waiting=max(len(waiting) - MOST_WAITING, 0),
        full=len(owned) >= MOST,
        unread=sum(one is None for one in read),
        knows_pushes=any(one.is_pushed for one in owned) or bool(await context.authors.login_of(caller.person_id)),
        days=context.settings.retention_days,
    )


async def waits_of(context: Context, caller: Caller, pending: Sequence[Pending]) -> list[tuple[Pending, MyWait]]:
    """Return which of these acts wait for somebody's word, and how that is said."""
    found = await waiting_for(caller, pending, partial(_may_of, context), context.whereabouts)
    return [(one, await _wait(one, caller, context)) for one in found if one.waits_for_a_word]


async def _owned(caller: Caller, context: Context) -> list[Owned]:
    """Return the builds of somebody, the newest first: what they asked for, follow or pushed, each once."""
    own = await context.store.own.of(caller.person_id)
    known = {one.pipeline_id for one in own}
    pushed = [one for one in await context.store.own.pushed_by(caller.person_id) if one.pipeline_id not in known]
    return sorted([*own, *pushed], key=lambda one: -one.since)


async def _kept(owned: Sequence[Owned], caller: Caller, context: Context) -> list[_Mine]:
    ids = [one.pipeline_id for one in owned]
    seen, read = await context.store.watches.seen(ids), await context.store.news.pipelines(ids)
    known = [_Mine(one, look, news) for one, look, news in zip(owned, seen, read, strict=True)]
    return [one for one in known if one.place and await context.finder.may_read(caller, *one.place)]


def _order(one: MyBuild) -> tuple[bool, bool]:
    """Return where it stands: what waits for them, what goes on, then what has ended."""
    state = one.build.state
    return not (one.may_approve and state is State.ON_HOLD), state not in OPEN_STATES


async def _shown(one: _Mine, requests: Sequence[Pending], caller: Caller, context: Context) -> MyBuild | None:
    """Return a build as CircleCI has it, else as at the last look; None where there was none either."""
    # Its workflows are listed anew, as nobody may look at what has ended.
    known = one.seen.build and one.seen.build.model_copy(update={"listed_at": None})
    try:
        build, is_silent = await context.circleci.build(one.owned.pipeline_id, known), False
        title = _title(one.seen.watches) or await context.finder.title(build.pipeline.project_slug)
    except CircleCIError:
        if one.seen.build is None:
            return None
        build, is_silent = one.seen.build, True
        title = _title(one.seen.watches) or build.pipeline.project_slug.partition("/")[2]
    slug, ref = build.pipeline.project_slug, build.pipeline.ref
    may_approve = build.state is State.ON_HOLD and await _may(caller, Word.APPROVE, slug, ref, context)
    url, wishes = await _thread_url(one.seen.watches, caller, context), [asked.wish for asked in requests]
    return MyBuild(
        title=title,
        build=build,
        is_asked=one.owned.is_asked,
        is_pushed=one.owned.is_pushed,
        is_silent=is_silent,
        may_approve=may_approve,
        asked_for=tuple(wish.approval_request_id for wish in wishes if isinstance(wish, Approval)),
        thread_url=url,
    )


def _title(watches: Sequence[Watch]) -> str:
    return watches[0].project_title if watches else ""


async def _thread_url(watches: Sequence[Watch], caller: Caller, context: Context) -> str:
    """Return where somebody is told of it: in a thread of their own, else in one that they acted in."""
    me = caller.person_id
    own = [one for one in watches if one.root_ts and me in (*one.wait_for_it, one.asker_id)]
    own.sort(key=lambda one: one.follower_id != caller.person_id)
    if not own or own[0].root_ts is None:
        return ""
    return await context.messenger.permalink(own[0].thread.channel_id, own[0].root_ts)


async def _may_read(build: Build, caller: Caller, context: Context) -> bool:
    return await context.finder.may_read(caller, build.pipeline.project_slug, build.pipeline.ref)


async def _may(caller: Caller, word: str, slug: ProjectSlug, ref: Ref | None, context: Context) -> bool:
    try:
        await context.permissions.check(caller, word, slug, ref)
    except NotAllowed:
        return False
    return True


async def _may_of(context: Context, caller: Caller, word: str, wish: Wish) -> bool:
    if word == Word.READ:
        return await context.finder.may_read(caller, wish.project_slug, wish.ref)
    return await _may(caller, word, wish.project_slug, wish.ref, context)


async def _wait(pending: Pending, caller: Caller, context: Context) -> MyWait:
    place, ts = pending.asker.place, pending.request_ts
    url = await context.messenger.permalink(place.channel_id, ts) if place and ts else ""
    return as_wait(pending, caller, url)


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(HELP, permission="read", request=Nothing, parse=parse_nothing, handle=mine)
