"""What the operator is told, in OPERATOR_CHANNEL and in the log: the beginning of trouble, once."""

import time
from datetime import timedelta

import structlog

from bot.circleci.reads import Reads
from bot.errors import SlackError, Unauthorized
from bot.messenger import Messenger
from bot.models.circleci import User
from bot.models.notices import Notice
from bot.models.slack import Watch
from bot.models.subscription import Subscription
from bot.store.claims import Claims
from formatters import errors, notices, red
from formatters.blocks import Message

log = structlog.get_logger(__name__)

REPEAT, SOON = timedelta(hours=6), timedelta(minutes=5)
UNHEARD = "unheard"  # in place of the mark that it was told
DAILY = timedelta(hours=24)
CHECKED, BEING_CHECKED = "tokens-checked", "tokens-checking"  # the day's check
CHECKING = timedelta(minutes=5)  # how long one may take


class Operator:
    """Tells whoever runs the bot; without a channel the log alone."""

    def __init__(self, messenger: Messenger, claims: Claims, channel_id: str | None) -> None:
        self._messenger = messenger
        self._claims = claims
        self._channel_id = self.channel_id = channel_id
        self._logged: dict[str, float] = {}

    async def token_refused(self, name: str = "") -> bool:
        """Say that CircleCI does not take a token, that of `name` or the default one; at most every six hours.

        Returns whether somebody was told, now or then.
        """
        what = f"circleci-token:{name}"
        if self._is_new(what):
            place = f"PROJECTS_FILE, [tokens], {name}" if name else "CIRCLECI_TOKEN"
            fix = f"make a new personal token of the machine user, put it into {place}, restart"
            log.error("circleci_token_refused", token=name or "CIRCLECI_TOKEN", fix=fix)
        return await self._once(what, errors.token_refused(name))

    async def forget_check(self) -> None:
        """Have the tokens checked now, whenever the last time was."""
        for claim in (CHECKED, BEING_CHECKED):
            await self._claims.release(claim)

    async def check_tokens(self, circleci: Reads) -> None:
        """Ask CircleCI whose each token is, once a day over all processes, before somebody needs it at night.

        What CircleCI did not say is asked again a little later.
        """
        if await self._claims.is_taken(CHECKED) or not await self._claims.first(BEING_CHECKED, CHECKING):
            return
        owners = await circleci.owners()
        for name, owner in owners.items():
            if isinstance(owner, Unauthorized):
                await self.token_refused(name)
        if all(isinstance(owner, Unauthorized | User) for owner in owners.values()):
            await self._claims.first(CHECKED, DAILY)

    async def channel_gone(self, channel_id: str, code: str) -> None:
        """Say that a channel takes our messages no more; at most every six hours for each."""
        if not await self._claims.is_taken(self._mark(what := f"channel:{channel_id}")):
            log.warning("channel_gone", channel=channel_id, code=code)
        await self._once(what, errors.channel_gone(channel_id, code))

    async def project_unseen(self, slug: str) -> None:
        """Say that CircleCI shows a project no more that channels have subscribed to; at most every six hours."""
        if not await self._claims.is_taken(self._mark(what := f"project:{slug}")):
            log.warning("project_unseen", project=slug)
        await self._once(what, errors.project_unseen(slug))

    async def subscription_paused(self, rule: Subscription, why: str) -> bool:
        """Say that a channel is not told what it has subscribed to, and why; at most every six hours for each.

        Returns whether somebody was told, now or then.
        """
        return await self._once(f"paused:{rule.channel_id}:{why}", red.paused(rule, why))

    async def notices_ended(self, notice: Notice, code: str) -> None:
        """Say that somebody is told nothing of their builds any more, as Slack takes no direct message for them."""
        log.warning("notices_ended", person=notice.person_id, code=code)
        await self._once(f"notices:{notice.person_id}", notices.refused(notice, code))

    async def unreachable(self, watch: Watch, code: str) -> None:
        """Say that nobody can be told of a build, which is followed no more; at most every six hours for each person.

        The log has every build.
        """
        log.warning("nobody_can_be_told", pipeline=watch.pipeline_id, watch=watch.id, code=code)
        what = f"person:{watch.follower_id or watch.thread.channel_id}"
        await self._once(what, errors.unreachable(watch, code))

    def _is_new(self, what: str) -> bool:
        """Say whether the log is to have it: each process has one of its own, and each start begins one."""
        now, last = time.monotonic(), self._logged.get(what)
        if last is not None and now - last < REPEAT.total_seconds():
            return False
        self._logged[what] = now
        return True

    async def _once(self, what: str, message: Message) -> bool:
        """Tell it once in six hours; returns whether it was told. What Slack does not take is told a little later."""
        mark = self._mark(what)
        if not await self._claims.first(mark, REPEAT):
            return self._channel_id is not None and await self._claims.holder(mark) not in (None, UNHEARD)
        if self._channel_id is None:
            return False
        try:
            await self._messenger.post(self._channel_id, message)
        except SlackError as slack:
            log.warning("operator_not_told", method=slack.method, code=slack.code)
            await self._claims.release(mark)
            await self._claims.claim(mark, UNHEARD, SOON)
            return False
        return True

    def _mark(self, what: str) -> str:
        """Return what is claimed for it: who is told in another channel from now on has not heard it."""
        return f"operator:{self._channel_id or ''}:{what}"
