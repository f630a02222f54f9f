"""By which names a project is judged: what CircleCI calls it by now, and whatever else the rules may mean it by.

A rule may have the name of before, and so may the projects file: CircleCI is asked what it calls by now whatever they
write out. A glob meets the names of today alone, as nobody lists those of before.
"""

import asyncio
from collections.abc import Iterator
from typing import NamedTuple

import structlog

from bot.circleci.reads import Reads
from bot.errors import CircleCIError, NameUntold, NotFound, RateLimited, Rejected, Unauthorized, Unavailable
from bot.models.circleci import Project, ProjectSlug, made_of_ids
from bot.models.slugs import short, spelled_alike
from bot.policy import Policy, named_in_rules, names_projects, written_out
from bot.settings import Projects
from bot.waits import Patience, is_polite, patience

log = structlog.get_logger(__name__)
KEPT_SECONDS = 50
UNTOLD_SECONDS = 30  # so long it is kept that CircleCI does not tell of a name in a rule or of a lock
ASKED_SECONDS = 5  # so long that is waited for; who is patient waits for the first answer as for any other
STEADY_SECONDS = 300  # what CircleCI never told of a name and refuses for so long is that it is no other project's
MOST_KEPT = 1000  # anybody can type any name


class Names(NamedTuple):
    """What a project is called; `maybe` are names in rules of which CircleCI does not tell, with `why`, whether it is.

    They are those of one project each.
    """

    sure: tuple[str, ...]
    maybe: tuple[tuple[str, ...], ...] = ()
    why: CircleCIError | None = None


class _Known(NamedTuple):
    """What CircleCI `said` last of a name, and what the last look met instead: it is `refused` since then."""

    at: float
    said: Project | Rejected | None = None
    untold: CircleCIError | None = None
    refused: float | None = None


class KnownAs:
    """What CircleCI says is kept for less than a minute, and longer only while it says nothing else of a name.

    That it knows none is an answer to who asks for the first time; it says so, too, of what the token may not see. Any
    other refusal is none before it is steady: else one of them would switch off the rules that write a name of before.
    What it said before a refusal or an outage tells by the ids whether a name is another project's; that a name was a
    project of its own then does not, as it may be renamed since.
    """

    def __init__(self, policy: Policy, projects: Projects, circleci: Reads) -> None:
        self._policy = policy
        self._projects = projects
        self._circleci = circleci
        self._minds_names = names_projects(policy)
        self._kept: dict[str, _Known] = {}
        self._asking: dict[tuple[str, Patience, bool], asyncio.Task[_Known]] = {}

    async def names(self, slug: ProjectSlug, *, title: str = "", is_current: bool = False) -> Names:
        """Return the slug as CircleCI spells it, what people call the project, and its other names in the rules.

        Only a policy that names projects minds which: without one nothing is asked where a `title` is given. A slug
        that `is_current` was in a list of CircleCI's just now. Raises CircleCIError, and NotFound.
        """
        if not self._minds_names:
            return Names((slug, title or await self._title(slug)))
        now = slug if is_current else await self.by_now(slug)
        title, written = await self._title(now), list(self._written(now))
        told = await asyncio.gather(*(self._is(now, slug, one) for one, _ in written))
        found = [(names, is_it) for (_, names), is_it in zip(written, told, strict=True)]
        others = [name for names, is_it in found if is_it is True for name in names]
        maybe = [names for names, is_it in found if isinstance(is_it, CircleCIError)]
        why = next((one for one in told if isinstance(one, CircleCIError)), None)
        return Names((now, title, *others), tuple(maybe), why)

    async def by_now(self, slug: ProjectSlug) -> ProjectSlug:
        """Return a project's slug as CircleCI spells it by now; as given where it knows none."""
        if made_of_ids(slug):
            return slug
        found = await self._project(slug)
        return slug if isinstance(found, Rejected) else found.slug

    async def is_now(self, name: ProjectSlug, slug: ProjectSlug) -> bool:
        """Say whether a name is this project's by now; raises CircleCIError where CircleCI does not tell."""
        is_it = await self._is(slug, slug, name)
        if isinstance(is_it, CircleCIError):
            await self._project(slug)  # its id may tell them apart
            is_it = await self._is(slug, slug, name)
        if isinstance(is_it, CircleCIError):
            raise NameUntold(_short(name), _short(slug), is_it) from is_it
        return is_it

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

    async def _is(self, now: ProjectSlug, asked: ProjectSlug, name: ProjectSlug) -> bool | CircleCIError:
        """Return whether a name is this project's, or why CircleCI does not tell."""
        if spelled_alike(now) == spelled_alike(name):
            return True
        if made_of_ids(name):
            return False
        known, mine = await self._told(name), self._id_of(now) or self._id_of(asked)
        if isinstance(known.said, Project) and known.said.id and mine:
            return known.said.id == mine
        if isinstance(known.said, Project) and spelled_alike(known.said.slug) == spelled_alike(now):
            return True
        is_steady = known.said is None and known.refused is not None and known.at - known.refused >= STEADY_SECONDS
        return False if is_steady or known.untold is None else known.untold

    def _id_of(self, slug: ProjectSlug) -> str:
        kept = self._kept.get(spelled_alike(slug))
        return kept.said.id if kept and isinstance(kept.said, Project) else ""

    async def _title(self, slug: ProjectSlug) -> str:
        if not made_of_ids(slug):
            return slug.partition("/")[2]
        found = await self._project(slug)
        if isinstance(found, Rejected):
            raise (NotFound("project", slug) if found.status == 404 else found) from found
        return found.title

    async def _project(self, slug: ProjectSlug) -> Project | Rejected:
        """Return what CircleCI says, or said last where it says no more; raises CircleCIError where it never did."""
        known = self._kept.get(spelled_alike(slug))
        if known is None or known.said is None or self._is_old(known):
            known = await self._together(slug)
        if known.said is None:
            raise known.untold or AssertionError("it says something, or why not")
        return known.said

    async def _told(self, name: ProjectSlug) -> _Known:
        """Return what CircleCI says of a name that is not asked for itself, and is not waited for as long.

        Raises what is not of this name alone: that it asks to wait, or does not take the token.
        """
        known = self._kept.get(spelled_alike(name))
        if known is None or self._is_old(known):
            is_patient = known is None and patience() is Patience.PATIENT
            try:
                async with asyncio.timeout(None if is_patient else ASKED_SECONDS):
                    known = await self._together(name)
            except TimeoutError:
                untold = Unavailable(f"no answer within {ASKED_SECONDS} s")
                known = self._keep(name, self._without(name, untold))
        if known.said is None and isinstance(known.untold, RateLimited | Unauthorized):
            raise known.untold
        return known

    def _is_old(self, known: _Known) -> bool:
        return _now() - known.at >= (UNTOLD_SECONDS if known.untold else KEPT_SECONDS)

    def _without(self, name: ProjectSlug, untold: CircleCIError) -> _Known:
        """Return what is known of a name where a look at it came to nothing."""
        known = self._kept.get(spelled_alike(name)) or _Known(_now())
        if isinstance(untold, Rejected) and untold.is_gone and not isinstance(known.said, Project):
            return _Known(_now(), untold)
        refused = known.refused if known.refused or not isinstance(untold, Rejected) else _now()
        if known.untold is None:
            log.warning("name_of_project_not_told", project=name, error=str(untold))
        return _Known(_now(), known.said, untold, refused)

    def _keep(self, name: ProjectSlug, known: _Known) -> _Known:
        alike = spelled_alike(name)
        self._kept.pop(alike, None)
        if len(self._kept) >= MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[alike] = known
        return known

    async def _together(self, slug: ProjectSlug) -> _Known:
        """Ask once for all who ask meanwhile, and wait as patiently; who is cut off does not cut off the others."""
        key = spelled_alike(slug), patience(), is_polite()
        if key not in self._asking:
            self._asking[key] = task = asyncio.create_task(self._ask(slug))
            task.add_done_callback(lambda done: self._is_asked(key, done))
        return await asyncio.shield(self._asking[key])

    def _is_asked(self, key: tuple[str, Patience, bool], task: asyncio.Task[_Known]) -> None:
        del self._asking[key]
        if not task.cancelled():
            task.exception()  # all who asked may have been cut off

    async def _ask(self, slug: ProjectSlug) -> _Known:
        try:
            return self._keep(slug, _Known(_now(), await self._circleci.project(slug)))
        except (RateLimited, Unauthorized) as error:
            return (self._kept.get(spelled_alike(slug)) or _Known(_now()))._replace(untold=error)
        except CircleCIError as error:
            return self._keep(slug, self._without(slug, error))


def _now() -> float:
    return asyncio.get_running_loop().time()


def _short(slug: ProjectSlug) -> str:
    return short(slug).partition("/")[2]
