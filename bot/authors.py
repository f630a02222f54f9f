"""Who of Slack pushed a build: as the projects file says, or by the mail address of the commit where Slack knows it."""

import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Protocol

import structlog

from bot.errors import SlackError
from bot.models.circleci import Pipeline, PipelineId

KEPT, NEVER_FOR = timedelta(hours=1), timedelta(hours=6)
MOST_KEPT = 1000  # anybody can push with any address
LONGEST = 254  # https://www.rfc-editor.org/errata/eid1690
# It does not depend on whom we ask about, so that it is not asked for everybody.
NEVER = frozenset({"missing_scope", "not_allowed_token_type", "unknown_method", "not_authorized", "access_denied"})
log = structlog.get_logger(__name__)


class Mailbook(Protocol):
    """Who has a mail address, as Slack says."""

    async def user_by_mail(self, mail: str) -> str:
        """Return the id of the person, or empty text where there is none; raises SlackError."""


class Authors:
    """Whom neither the file nor Slack names is nobody: empty text, and never an error.

    Git takes any address from anybody. So it is good for a ping and a message, and never for what somebody may.
    """

    def __init__(
        self, people: Mapping[str, str], mailbook: Mailbook, heard: Callable[[PipelineId], Awaitable[str]]
    ) -> None:
        """Know people by logins and by addresses; `heard` returns that which a webhook had of a build."""
        self._people = {login.casefold(): person_id for login, person_id in people.items()}
        self._logins = {person_id: login for login, person_id in reversed([*people.items()])}
        self._mailbook = mailbook
        self._heard = heard
        self._kept: dict[str, tuple[float, str]] = {}
        self._not_before = 0.0

    async def of(self, pipeline: Pipeline) -> str:
        """Return the id of who pushed a build, or had it started under their own name at CircleCI."""
        mail = pipeline.mail or (await self._heard(pipeline.id) if pipeline.may_be_pushed else "")
        return await self.person_of(pipeline.actor, mail)

    async def person_of(self, login: str, mail: str = "") -> str:
        """Return the id of who is called `login` at the code host, or else has this mail address; or empty text."""
        return self._people.get(login.casefold(), "") or await self._by_mail(mail.strip().casefold())

    async def login_of(self, person_id: str) -> str:
        """Return what the projects file says that somebody is called at the code host; or empty text.

        Who is known by mail alone has none here: a push by them is known when it comes.
        """
        return self._logins.get(person_id, "")

    async def _by_mail(self, mail: str) -> str:
        if "@" not in mail or len(mail) > LONGEST or mail.startswith("noreply@") or "@users.noreply." in mail:
            return ""
        now = time.monotonic()
        since, person_id = self._kept.get(mail, (-KEPT.total_seconds(), ""))
        if now - since < KEPT.total_seconds() or now < self._not_before:
            return person_id
        try:
            person_id = await self._mailbook.user_by_mail(mail)
        except SlackError as error:
            if error.code in NEVER:
                self._not_before = now + NEVER_FOR.total_seconds()
                log.info("no_authors_by_mail", code=error.code)
            return ""
        self._keep(mail, now, person_id)
        return person_id

    def _keep(self, mail: str, now: float, person_id: str) -> None:
        self._kept.pop(mail, None)
        if len(self._kept) >= MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[mail] = (now, person_id)
