"""By which names a project is judged: what CircleCI calls it by now, and whatever else the rules may mean it by.

A rule may have the name of before, and so may the projects file: CircleCI is asked what it calls by now whatever they
write out. A glob meets the names of today alone, as nobody lists those of before.
"""

import asyncio
from collections.abc import Iterator

import structlog

from bot.circleci.reads import Reads
from bot.errors import CircleCIError, NotFound, Rejected
from bot.models.circleci import Project, ProjectSlug, made_of_ids
from bot.models.slugs import short, spelled_alike
from bot.policy import Policy, named_in_rules, names_projects, written_out
from bot.settings import Projects
from bot.waits import Patience, is_polite, patience

log = structlog.get_logger(__name__)
KEPT_SECONDS = 50
MOST_KEPT = 1000  # anybody can type any name


class KnownAs:
    """What CircleCI says is kept for less than a minute, and longer only while it says nothing else of a name.

    That it knows none is an answer to who asks for the first time; it says so, too, of what the token may not see. Any
    other refusal is none: else one of them would switch off the rules that write a name of before.
    """

    def __init__(self, policy: Policy, projects: Projects, circleci: Reads) -> None:
        self._policy = policy
        self._projects = projects
        self._circleci = circleci
        self._minds_names = names_projects(policy)
        self._kept: dict[str, tuple[float, Project | Rejected]] = {}
        self._asking: dict[tuple[str, Patience, bool], asyncio.Task[Project | Rejected]] = {}

    async def names(self, slug: ProjectSlug, *, title: str = "", is_current: bool = False) -> tuple[str, ...]:
        """Return the slug as CircleCI spells it, what people call the project, and its other names in the rules.

        Only a policy that names projects minds which: without one nothing is asked where a `title` is given. A slug
        that `is_current` was in a list of CircleCI's just now. Raises CircleCIError, and NotFound.
        """
        if not self._minds_names:
            return (slug, title or await self._title(slug))
        now = slug if is_current else await self.by_now(slug)
        written = list(self._written(now))
        called = await asyncio.gather(*(self._is(now, one) for one, _ in written))
        others = [name for (_, names), is_it in zip(written, called, strict=True) if is_it for name in names]
        return (now, await self._title(now), *others)

    async def by_now(self, slug: ProjectSlug) -> ProjectSlug:
        """Return a project's slug as CircleCI spells it by now; as given where it knows none."""
        if made_of_ids(slug):
            return slug
        found = await self._project(slug)
        return slug if isinstance(found, Rejected) else found.slug

    def forget(self) -> None:
        """Ask anew what projects are called."""
        self._kept.clear()

    def _written(self, now: ProjectSlug) -> Iterator[tuple[ProjectSlug, tuple[str, ...]]]:
        """Yield each project that a rule writes out, also by its alias, with the names that the rule may use.

        A name without a code host is looked for at the one of the project that is judged: a rename does not change it.
        """
        for alias, entry in self._projects.projects.items():
            names = (alias, entry.slug, entry.slug.partition("/")[2])
            if named_in_rules(self._policy, names):
                yield ProjectSlug(entry.slug), names
        host = self._projects.default_vcs if made_of_ids(now) else now.partition("/")[0]
        for name in written_out(self._policy):
            slug = short(name if name.count("/") > 1 else f"{host}/{name}")
            if slug.count("/") > 1:
                yield ProjectSlug(slug), (slug, slug.partition("/")[2])

    async def _is(self, now: ProjectSlug, name: ProjectSlug) -> bool:
        return spelled_alike(now) in (spelled_alike(name), spelled_alike(await self.by_now(name)))

    async def _title(self, slug: ProjectSlug) -> str:
        if not made_of_ids(slug):
            return slug.partition("/")[2]
        found = await self._project(slug)
        if isinstance(found, Rejected):
            raise (NotFound("project", slug) if found.status == 404 else found) from found
        return found.title

    async def _project(self, slug: ProjectSlug) -> Project | Rejected:
        """Return what CircleCI says, or said last where it says no more; raises CircleCIError where it never did."""
        alike = spelled_alike(slug)
        since, known = self._kept.get(alike, (-KEPT_SECONDS, None))
        if known is not None and asyncio.get_running_loop().time() - since < KEPT_SECONDS:
            return known
        try:
            said = await self._together(alike, slug)
        except CircleCIError:
            if known is None:
                raise
            return known
        if isinstance(said, Rejected):
            said = known or _no_other(said, slug)
        self._keep(alike, said)
        return said

    def _keep(self, alike: str, said: Project | Rejected) -> None:
        self._kept.pop(alike, None)
        if len(self._kept) >= MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[alike] = (asyncio.get_running_loop().time(), said)

    async def _together(self, alike: str, slug: ProjectSlug) -> Project | Rejected:
        """Ask once for all who ask meanwhile, and wait as patiently; who is cut off does not cut off the others."""
        key = alike, patience(), is_polite()
        if key not in self._asking:
            self._asking[key] = task = asyncio.create_task(self._ask(slug))
            task.add_done_callback(lambda done: self._is_asked(key, done))
        return await asyncio.shield(self._asking[key])

    def _is_asked(self, key: tuple[str, Patience, bool], task: asyncio.Task[Project | Rejected]) -> None:
        del self._asking[key]
        if not task.cancelled():
            task.exception()  # all who asked may have been cut off

    async def _ask(self, slug: ProjectSlug) -> Project | Rejected:
        try:
            return await self._circleci.project(slug)
        except Rejected as error:
            return error


def _no_other(refusal: Rejected, slug: ProjectSlug) -> Rejected:
    """Return that CircleCI knows no such name; raises a refusal that does not say so."""
    if refusal.is_gone:
        return refusal
    log.warning("name_of_project_not_told", project=slug, error=str(refusal))
    raise refusal
