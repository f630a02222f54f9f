"""Finds the projects that the patterns of subscriptions mean, also those that came since."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import structlog

from bot.circleci.reads import Reads
from bot.errors import CircleCIError
from bot.models.circleci import Project, ProjectSlug, made_of_ids
from bot.models.slugs import spelled_alike
from bot.models.subscription import Fitting
from bot.settings import Projects
from bot.store import Store

HOUR = timedelta(hours=1)
log = structlog.get_logger(__name__)


async def known_projects(looks: Reads, projects: Projects, means: Callable[[str, str], bool]) -> list[Fitting]:
    """Return the projects that are followed or have a short name, and that somebody means by slug and title.

    Where no list has its slug or its title, CircleCI is asked for the one project. Raises CircleCIError.
    """
    followed = await looks.followed_projects()
    found = [
        Fitting(slug=one.slug, title=one.title, default_branch=one.default_branch) for one in followed if one.vcs_type
    ]
    asked = [ProjectSlug(f"{projects.default_vcs}/{one.title}") for one in followed if not one.vcs_type]
    asked = [slug for slug in asked if means(slug, slug.partition("/")[2])]
    for slug in (ProjectSlug(one.slug) for one in projects.projects.values()):
        if made_of_ids(slug):
            asked.append(slug)
        else:
            found.append(Fitting(slug=slug, title=slug.partition("/")[2]))
    for slug in dict.fromkeys(asked):
        with suppress(CircleCIError):  # it may be called otherwise
            found.append(_fitting(await looks.project(slug)))
    once = {spelled_alike(one.slug): one for one in reversed(found) if means(one.slug, one.title)}
    return sorted(once.values(), key=lambda one: one.title)


def _fitting(project: Project) -> Fitting:
    return Fitting(slug=project.slug, title=project.title, default_branch=project.default_branch)


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
        try:
            found = await known_projects(self._looks, self._projects, lambda *_: True)
        except CircleCIError as error:
            log.info("projects_not_listed", error=repr(error))
            return
        await self._store.subscriptions.fit(found, rules)
        await self._store.claims.first("projects-fitted", HOUR)
