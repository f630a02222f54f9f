"""Show what people did through the bot: who, what, by which rule, and what came of it."""

import re
from collections.abc import Sequence
from datetime import timedelta

from pydantic import BaseModel, ConfigDict

from bot.errors import UsageError
from bot.grammar import Word, parse_project
from bot.models.audit import Entry
from bot.models.circleci import ProjectSlug, made_of_ids
from bot.models.slack import Invocation
from bot.routing import Context, Router
from bot.settings import Projects
from bot.targets import is_project
from formatters import audit as words_for
from formatters.blocks import Message
from formatters.help import CommandHelp

HELP = CommandHelp(
    name="audit",
    group="Run me",
    summary="Show what people did through me: who, what, by which rule, and what came of it.",
    usage="audit [<project>] [<days>d | <hours>h] [@user]",
    example="audit acme/frontend 7d",
    phrases=("audit", "audit 12h @ada"),
    also=("log", "history", "journal"),
)
_PERIOD = re.compile(r"(\d{1,4})([dh])")
_PERSON = re.compile(r"<@(\w+)(?:\|[^<>]*)?>|@([\w.-]+)")
DEFAULT = "7d"
MOST = 1000


class Audit(BaseModel):
    """Of which project, how far back (`period` as it was typed), and by whom: an id or a name."""

    model_config = ConfigDict(frozen=True)
    project: str = ""
    period: str = DEFAULT
    person: str = ""

    @property
    def since(self) -> timedelta:
        """How far back."""
        number, unit = int(self.period[:-1]), self.period[-1]
        return timedelta(days=number) if unit == "d" else timedelta(hours=number)

    def fits(self, entry: Entry) -> bool:
        """Say whether an act is asked about."""
        by = not self.person or self.person in (entry.user_id, entry.user_name)
        return by and (not self.project or f"{entry.about} ".startswith(f"{self.project} "))


def parse(words: Sequence[Word], projects: Projects) -> Audit:
    """Return the request; its words come in any order."""
    asked = Audit()
    for word in words:
        if _PERIOD.fullmatch(word.text.lower()):
            asked = asked.model_copy(update={"period": word.text.lower()})
        elif person := _PERSON.fullmatch(word.text):
            asked = asked.model_copy(update={"person": person[1] or person[2]})
        elif is_project(word, projects):
            slug = parse_project(word.text, projects).slug
            asked = asked.model_copy(update={"project": slug if made_of_ids(slug) else slug.partition("/")[2]})
        else:
            raise UsageError("I expected a project, a time such as 7d, or a @name.", given=word.text)
    return asked


async def show(request: Audit, invocation: Invocation, context: Context) -> Message:  # noqa: ARG001  # as all handlers
    """Answer with the newest acts."""
    title = await context.finder.title(ProjectSlug(request.project)) if made_of_ids(request.project) else ""
    asked = request.model_copy(update={"project": title}) if title else request
    entries = await context.store.audit.lately(asked.since, asked.fits, MOST)
    return words_for.audit(entries, request.period)


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(HELP, parse=parse, permission="admin")(show)
