"""Reads the list of the builds of a project with subscribers now and then, and takes in what may be news."""

from collections.abc import Sequence, Set
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.circleci.reads import Reads
from bot.errors import CircleCIError, Rejected, Spent, Unauthorized
from bot.models.circleci import Pipeline, ProjectSlug
from bot.models.news import ReadUpTo
from bot.models.slack import utc_now
from bot.models.slugs import spelled_alike
from bot.models.subscription import Subscription
from bot.settings import Settings
from bot.store import Store
from bot.watching.inbox import Inbox, count, wanted_by
from bot.watching.line import Waiting, standing
from bot.watching.operator import Operator
from bot.watching.read_on import A_PAGE, PAGES, named_by, read_on
from bot.watching.schedule import Claim, rank

OF_A_PROJECT, OF_A_BRANCH = PAGES[:3], PAGES[:2]  # where somebody subscribes anew
MOST_NAMED = 10  # branches, each of which is asked for what runs in it
LONG_RUN = timedelta(days=1)
MOST_RUNNING = 20  # builds that came last, of which each may still run when somebody subscribes
HOUR = timedelta(hours=1)
LATE = timedelta(minutes=5)  # that a list may be about a build that has begun
TOLD, LONGEST, UNSEEN_AFTER = 3, 12, 3  # pauses between two lists, twice; lists in a row
NO_TROUBLE = {"failures": 0, "waits_since": None}
log = structlog.get_logger(__name__)


class Messages(Protocol):
    """Who keeps the messages about red branches true."""

    async def forsake_unheard(self, channel_id: str, slug: ProjectSlug, title: str) -> object:
        """End those in a channel that no subscription of it is about any more."""


class Lists:
    """One request for each project; another one an hour, for its name and that of its default branch."""

    def __init__(
        self, settings: Settings, store: Store, looks: Reads, inbox: Inbox, operator: Operator, roots: Messages
    ) -> None:
        self._settings = settings
        self._store = store
        self._looks = looks
        self._inbox = inbox
        self._operator = operator
        self._roots = roots

    async def look(self, slug: ProjectSlug) -> timedelta | None:
        """Read the new end of a list; returns the pause before the next time, None where nobody subscribes any more."""
        if not (rules := await self._store.subscriptions.of_project(slug)):
            return None
        known = await self._store.news.read_up_to(slug)
        try:
            place = rank(Claim.NONE, known.waits_since or utc_now(), self._settings)
            with standing(Waiting(f"list:{slug}", place, is_alone=False)):
                return await self._read(slug, known, rules)
        except Spent as error:
            waits = {"waits_since": known.waits_since or utc_now()}  # else others would always be before it
            await self._store.news.save_read(slug, known.model_copy(update=waits))
            return error.retry_after
        except CircleCIError as error:
            return await self._unread(slug, known, error)

    async def _read(self, slug: ProjectSlug, known: ReadUpTo, rules: Sequence[Subscription]) -> timedelta | None:
        is_same = any(_is_known(rule, known) for rule in rules)
        newest = known.newest if is_same else None  # what came while nobody subscribed is no news
        if not (is_same or _was_read_lately(known)):
            known = known.model_copy(update={"heard_since": min(rule.hears_since for rule in rules)})
        listed = await self._since(slug, newest)
        is_moved = any(spelled_alike(one.project_slug) != spelled_alike(slug) for one in listed)
        is_nameless = any(not rule.default_branch for rule in rules)
        if is_moved or is_nameless or known.asked_at is None or utc_now() - known.asked_at > HOUR:
            known = await self._names(known, rules)
        if not (rules := await self._store.subscriptions.of_project(slug)):
            return None  # it is read on under the name that it has by now
        old, fresh = [[one for one in rules if _is_known(one, known) is is_old] for is_old in (True, False)]
        for pipeline in new(listed, newest, old, known.seen):
            await self._inbox.listed(pipeline)
        others = [one for one in arrived(listed, newest, known.seen) if not wanted_by(rules, one.ref, one.actor)]
        await self._inbox.may_be_somebodys(others)
        await self._begin(await self._that_may_run(slug, listed, fresh), fresh, old, known.heard_since)
        up_to = max([newest or 0, *(one.number for one in listed)])
        marks = frozenset(rule.mark for rule in rules)
        seen = frozenset(one.number for one in lately(listed))
        oldest = min((one.number for one in listed), default=0)
        skipped = oldest if newest and oldest > newest + 1 else known.skipped
        now = {"newest": up_to, "seen": seen, "rules": marks, "skipped": skipped, **NO_TROUBLE}
        await self._store.news.save_read(slug, known.model_copy(update=now))
        return self._settings.subscription * (TOLD if await self._is_told(slug) else 1)

    async def _begin(
        self,
        listed: Sequence[Pipeline],
        fresh: Sequence[Subscription],
        old: Sequence[Subscription],
        heard_since: datetime | None,
    ) -> None:
        """Let new subscriptions hear of what ends from now on, and of nothing that was over when they were made.

        Of what was over when the project was first heard of, neither do people whose builds these are.
        """
        for pipeline in may_run(listed, fresh):
            is_new = not wanted_by(old, pipeline.ref, pipeline.actor)
            of_fresh = wanted_by(fresh, pipeline.ref, pipeline.actor)
            await self._inbox.was_there(pipeline, of_fresh, is_new=is_new, heard_since=heard_since)

    async def _that_may_run(
        self, slug: ProjectSlug, listed: Sequence[Pipeline], fresh: Sequence[Subscription]
    ) -> Sequence[Pipeline]:
        """Return what may run yet of what new subscriptions are about: where much comes in a day, more than one page.

        Of a branch that is named its own list is read, which others fill less soon.
        """
        if not fresh or len(listed) < A_PAGE or _reaches_back(listed):
            return listed
        names = dict.fromkeys(name for rule in fresh for name in named_by(rule))
        is_named = all(named_by(rule) for rule in fresh) and len(names) <= MOST_NAMED
        found = {one.id: one for one in listed}
        for branch in names if is_named else [None]:
            more = await read_on(self._looks, slug, branch, _reaches_back, OF_A_BRANCH if branch else OF_A_PROJECT)
            found |= {one.id: one for one in more}
        return [*found.values()]

    async def _since(self, slug: ProjectSlug, newest: int | None) -> Sequence[Pipeline]:
        """Return the pipelines behind the one that was read last: a page as a rule, more where more came."""
        listed: Sequence[Pipeline] = ()
        for pages in PAGES:
            before, listed = len(listed), await self._looks.pipelines(slug, pages=pages)
            missing = min((one.number for one in listed), default=0) - (newest or 0) - 1
            if not newest or missing <= 0 or len(listed) == before:
                return listed
        log.warning("news_skipped", project=slug, after=newest, builds=missing)
        count("skipped", missing)
        await self._store.told.missed(slug, (newest or 0) + 1, (newest or 0) + missing)
        return listed

    async def _names(self, known: ReadUpTo, rules: Sequence[Subscription]) -> ReadUpTo:
        """Learn what a project and its default branch are called by now; under another name it is read on as far."""
        project = await self._looks.project(rules[0].project_slug)
        for rule in rules:
            branch = project.vcs_info.default_branch or rule.default_branch or project.default_branch
            await self._store.subscriptions.is_by_now(rule, project.slug, project.title, branch)
        for channel_id in dict.fromkeys(rule.channel_id for rule in rules):  # also what a run that died left behind
            await self._roots.forsake_unheard(channel_id, project.slug, project.title)
        known = known.model_copy(update={"asked_at": utc_now()})
        if spelled_alike(project.slug) != spelled_alike(rules[0].project_slug):
            log.info("project_renamed", project=rules[0].project_slug, to=project.slug)
            await self._store.news.save_read(project.slug, known)
        return known

    async def _is_told(self, slug: ProjectSlug) -> bool:
        takes = self._settings.circleci_webhook_secret is not None
        return takes and await self._store.hooks.last(slug) is not None

    async def _unread(self, slug: ProjectSlug, known: ReadUpTo, error: CircleCIError) -> timedelta:
        """Go on ever more rarely; what the token does not see any more is said to whoever runs the bot."""
        if isinstance(error, Unauthorized):
            error.is_told = await self._operator.token_refused(error.token)
        known = known.model_copy(update={"failures": known.failures + 1, "waits_since": None})
        await self._store.news.save_read(slug, known)
        log.info("list_unreadable", project=slug, error=repr(error), failures=known.failures)
        if isinstance(error, Rejected) and error.is_gone and known.failures >= UNSEEN_AFTER:
            await self._operator.project_unseen(slug)
        return self._settings.subscription * min(1 << min(known.failures - 1, 10), LONGEST)


def _is_known(rule: Subscription, known: ReadUpTo) -> bool:
    """Say whether there was a subscription when the list was last read; the first version kept their ids alone."""
    return not known.rules.isdisjoint({rule.mark, rule.id})


def _was_read_lately(known: ReadUpTo) -> bool:
    """Say whether a list was read a moment ago: who ends a subscription and makes another takes nothing from people."""
    return known.asked_at is not None and utc_now() - known.asked_at < 2 * HOUR


def _reaches_back(listed: Sequence[Pipeline]) -> bool:
    """Say whether what came before a list hardly runs any more, on the clock of CircleCI, by the newest of it."""
    made = [one.created_at for one in listed]
    return not made or max(made) - min(made) > LONG_RUN


def new(
    listed: Sequence[Pipeline], newest: int | None, rules: Sequence[Subscription], seen: Set[int] = frozenset()
) -> list[Pipeline]:
    """Return the pipelines that a rule is about and that came since the list was read up to `newest`, in order. Pure.

    One with a smaller number may show up after it: those that are hardly older are among them, but what was `seen`.
    """
    return [one for one in arrived(listed, newest, seen) if wanted_by(rules, one.ref, one.actor)]


def arrived(listed: Sequence[Pipeline], newest: int | None, seen: Set[int]) -> list[Pipeline]:
    """Return all pipelines that came since then, in order. Pure."""
    if newest is None:
        return []
    late = [one for one in lately(listed) if one.number not in seen]
    found = [one for one in listed if one.number > newest or one in late]
    return sorted(found, key=lambda one: one.number)


def lately(listed: Sequence[Pipeline]) -> list[Pipeline]:
    """Return those that are hardly older than the newest: others may show up between them yet. Pure."""
    since = max((one.created_at for one in listed), default=utc_now()) - LATE
    return [one for one in listed if one.created_at > since]


def may_run(listed: Sequence[Pipeline], rules: Sequence[Subscription]) -> list[Pipeline]:
    """Return the pipelines that a rule is about, in order, of which one may still run: of each branch the newest. Pure.

    Of those that came lately others too.
    """
    wanted = sorted((one for one in listed if wanted_by(rules, one.ref, one.actor)), key=lambda one: one.number)
    newest = {str(one.ref): one for one in wanted}
    return [one for one in wanted if one in wanted[-MOST_RUNNING:] or newest[str(one.ref)] is one]
