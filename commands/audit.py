"""Show what people did through the bot: who, what, by which rule, and what came of it."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from bot.answers.people import Record
from bot.errors import UsageError
from bot.grammar import Word, parse_slug
from bot.models.audit import Entry
from bot.models.caller import Caller
from bot.models.circleci import ProjectSlug, Ref
from bot.models.help import CommandHelp
from bot.naming import ALL
from bot.requests import Request, Typed
from bot.routing import Context, Router
from bot.settings import Projects
from bot.targets import is_project
from formatters.audit import MOST_COUNTED

HELP = CommandHelp(
    name="audit",
    group="Run me",
    summary="Show what people did through me: who, what, by which rule, and what came of it.",
    usage="audit [<project> | all] [<days>d | <hours>h] [@user]",
    example="audit acme/frontend 7d",
    phrases=("audit", "audit 12h @ada"),
    also=("journal",),
)
_PERIOD = re.compile(r"[1-9][0-9]{0,3}[dh]")
_PERSON = re.compile(r"<@(\w+)(?:\|[^<>]*)?>|@([\w.-]+)")
DEFAULT = "7d"


class Audit(Request):
    """Of which project, how far back (`period`: 7d, 12h), and by whom: an id or a name."""

    project: Typed = ""
    period: Annotated[str, Field(pattern=f"^{_PERIOD.pattern}$")] = DEFAULT
    person: Typed = ""

    @property
    def since(self) -> timedelta:
        """How far back."""
        number, unit = int(self.period[:-1]), self.period[-1]
        return timedelta(days=number) if unit == "d" else timedelta(hours=number)

    def about(self, projects: Projects) -> tuple[ProjectSlug | None, Ref | None]:
        """Return the project, where one is named."""
        return (parse_slug(self.project, projects) if self.project else None), None


def parse(words: Sequence[Word], projects: Projects) -> Audit:
    """Return the request; its words come in any order."""
    asked = dict[str, str]()
    for word in words:
        if _PERIOD.fullmatch(word.text.lower()):
            asked["period"] = word.text.lower()
        elif person := _PERSON.fullmatch(word.text):
            asked["person"] = person[1] or person[2]
        elif word.text.lower() in ALL:
            asked["project"] = ""
        elif is_project(word, projects):
            asked["project"] = parse_slug(word.text, projects)
        else:
            raise UsageError("I expected a project, a time such as 7d, or a @name.", given=word.text)
    return Audit(**asked)


async def show(request: Audit, caller: Caller, context: Context) -> Record:
    """Answer with the newest acts."""
    slug, _ = request.about(context.projects)
    title = await context.finder.title(slug) if slug else ""

    def fits(entry: Entry) -> bool:
        return _is_by(entry, request.person) and (slug is None or _is_about(entry, slug, title))

    found = await context.store.audit.lately(request.since, fits, MOST_COUNTED + 1)
    days = context.settings.audit_retention_days
    if request.since > timedelta(days=days):
        return Record(period=f"{days:g}d", is_all_kept=True, entries=tuple(found))
    return Record(period=request.period, entries=tuple(found))


def _is_by(entry: Entry, person: str) -> bool:
    """Say whether somebody did it, or let it happen: everybody is in it where nobody is asked about."""
    people = (entry.user_id, entry.user_name, entry.for_id, entry.for_name, entry.agreed_id, entry.agreed_name)
    return not person or person in people


def _is_about(entry: Entry, slug: ProjectSlug, title: str) -> bool:
    """Say whether it is about a project: by its slug, which an earlier version did not keep, or by its title."""
    return entry.project_slug.casefold() == slug.casefold() or f"{entry.about} ".startswith(f"{title} ")


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(HELP, permission="admin", request=Audit, parse=parse, handle=show)
