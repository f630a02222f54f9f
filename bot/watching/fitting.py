"""Finds the projects that the patterns of subscriptions mean, also those that came since."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import islice
from typing import NamedTuple

import structlog

from bot.circleci.reads import Reads
from bot.errors import CircleCIError
from bot.models.circleci import ProjectSlug, made_of_ids
from bot.models.slugs import spelled_alike
from bot.models.subscription import Fitting
from bot.settings import Projects
from bot.store import Store
from bot.together import together

HOUR = timedelta(hours=1)
MOST_ASKED = 30  # projects, one by one, in one turn
TURN = "projects-fitted-turn"
_HOSTS = ("gh", "bb")
log = structlog.get_logger(__name__)


class Known(NamedTuple):
    """The projects that somebody means: `is_all` of them, unless it is unknown yet what some are called."""

    projects: list[Fitting]
    is_all: bool = True


async def known_projects(looks: Reads, projects: Projects, means: Callable[[str, str], bool], turn: int = 0) -> Known:
    """Return the projects that are followed or have a short name, and that somebody means by slug and title.

    Where no list has its slug or its title, CircleCI is asked for the one project: of a few at a time, and of others in
    each `turn`. Raises CircleCIError.
    """
    followed = await looks.followed_projects()
    listed = [Fitting(slug=one.slug, title=one.title, default_branch=one.default_branch) for one in followed]
    listed += [Fitting(slug=ProjectSlug(one.slug), title=_title(one.slug)) for one in projects.projects.values()]
    found = [one for one in listed if one.slug.partition("/")[0] in _HOSTS]
    nameless = [one.slug for one in listed if made_of_ids(one.slug)]
    # API v1.1 may leave the code host out.
    nameless += [ProjectSlug(f"{projects.default_vcs}{one.slug}") for one in listed if one.slug.startswith("/")]
    unknown = [slug for slug in dict.fromkeys(nameless) if made_of_ids(slug) or means(slug, _title(slug))]
    asked = _of_turn(unknown, turn)
    found += [one for one in await together(*(_asked(looks, slug) for slug in asked)) if one]
    once = {spelled_alike(one.slug): one for one in reversed(found) if means(one.slug, one.title)}
    return Known(sorted(once.values(), key=lambda one: one.title), len(unknown) == len(asked))


def _of_turn(slugs: Sequence[ProjectSlug], turn: int) -> list[ProjectSlug]:
    """Return as many as are asked for at a time: in as many turns as it takes each has been among them. Pure."""
    turns = -(-len(slugs) // MOST_ASKED) or 1
    begin = turn % turns * MOST_ASKED
    return list(islice(slugs, begin, begin + MOST_ASKED))


async def _asked(looks: Reads, slug: ProjectSlug) -> Fitting | None:
    """Return what CircleCI calls a project; None for one that is called otherwise."""
    with suppress(CircleCIError):
        project = await looks.project(slug)
        return Fitting(slug=project.slug, title=project.title, default_branch=project.default_branch)
    return None


def _title(slug: str) -> str:
    return slug.partition("/")[2]


class Fits:
    """Looks once an hour, for all processes."""

    def __init__(self, store: Store, looks: Reads, projects: Projects) -> None:
        self._store = store
        self._looks = looks
        self._projects = projects

    async def refresh(self) -> None:
        """Let patterns mean what fits them by now, if that was not looked for lately; what is not listed stays."""
        rules = [rule for rule in await self._store.subscriptions.all() if rule.pattern]
        if not rules or await self._store.claims.is_taken("projects-fitted"):
            return

        def means(slug: str, title: str) -> bool:
            return any(rule.fits(slug, title) for rule in rules)

        try:
            turn = await self._store.claims.count(TURN)
            found = await known_projects(self._looks, self._projects, means, turn)
        except CircleCIError as error:
            log.info("projects_not_listed", error=repr(error))
            return
        await self._store.subscriptions.fit(found.projects, rules)
        await self._store.claims.first("projects-fitted", HOUR)
