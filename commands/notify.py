"""Let somebody be told of their own builds in direct messages, say what they are told, or end that."""

import re
from collections.abc import Sequence
from datetime import datetime

from bot.answers.notices import MyNotices
from bot.errors import NothingToDo, SlackError, UsageError
from bot.grammar import Word, check_no_question, without_stop
from bot.models.caller import Caller
from bot.models.help import CommandHelp
from bot.models.notices import About, Notice, Quiet
from bot.models.refusals import Refused, refused
from bot.models.slack import utc_now
from bot.models.spelling import MENTIONS
from bot.naming import USES_NOTHING
from bot.requests import Request
from bot.routing import Context, Router
from bot.settings import Projects

HELP = CommandHelp(
    name="notify",
    group="Look",
    summary="Tell me in direct messages when a build of mine fails, ends or waits for me; say what, or end it.",
    usage="notify [me [failed | ended] [waiting] [quiet 22:00-7:00] | me nothing]",
    example="notify me failed waiting quiet 22:00-7:00",
    phrases=("notify me", "notify me failed", "notify me nothing"),
)
ME, QUIET = "me", "quiet"
_HOURS = re.compile(r"([0-9]{1,2})(?:[:.]([0-9]{2}))?(am|pm)?(?:-|–|—|to|until)([0-9]{1,2})(?:[:.]([0-9]{2}))?(am|pm)?")
_HOW = "Write when it begins and ends, as in `quiet 22:00-7:00`."


class Wanted(Request):
    """What of their builds somebody wants to be told: all of it anew, `nothing`, or none of these to hear what it is.

    Hours alone are for what they are told already.
    """

    events: tuple[About, ...] = ()
    quiet: Quiet | None = None
    nothing: bool = False


def parse(words: Sequence[Word], projects: Projects) -> Wanted:
    """Return the request; everybody is told of their own builds alone."""
    check_no_question(words)
    rest = [word.text.lower().rstrip(",") for word in without_stop(words)]
    if rest[:1] == [ME]:
        rest = rest[1:]
    if rest and rest[0].startswith((*MENTIONS, "@")):
        raise UsageError("Each person is told of their own builds, and says so: `/ci notify me failed`.", given=rest[0])
    if len(rest) == 1 and rest[0] in USES_NOTHING:
        return Wanted(nothing=True)
    said, hours = (rest[: rest.index(QUIET)], rest[rest.index(QUIET) + 1 :]) if QUIET in rest else (rest, None)
    for word in said:
        if word not in [*About]:
            problem = "I expected failed, ended or waiting, hours of quiet behind these, or nothing."
            raise UsageError(problem, given=word)
    return Wanted(events=tuple(one for one in About if one in said), quiet=None if hours is None else _quiet(hours))


def _quiet(words: Sequence[str]) -> Quiet:
    said = "".join(words)
    found = _HOURS.fullmatch(said)
    if not found:
        raise UsageError(f"I cannot read these hours. {_HOW}", given=" ".join(words) or QUIET)
    begins, ends = _minute(*found.groups()[:3]), _minute(*found.groups()[3:])
    if begins is None or ends is None or begins == ends:
        raise UsageError(f"There are no such hours. {_HOW}", given=" ".join(words))
    return Quiet(begins=begins, ends=ends)


def _minute(hour: str, minute: str | None, half: str | None) -> int | None:
    """Return the minute of a day; None for none."""
    if int(hour) > (12 if half else 24) or int(minute or 0) > 59 or (half and hour == "0"):
        return None
    hours = int(hour) % 12 + (12 if half == "pm" else 0) if half else int(hour)
    minutes = hours * 60 + int(minute or 0)
    return minutes % (24 * 60) if minutes <= 24 * 60 else None


async def notify(request: Wanted, caller: Caller, context: Context) -> MyNotices:
    """Keep what somebody wants, in the place of what they wanted before, or answer with that."""
    kept, login = context.store.notices, await context.authors.login_of(caller.person_id)
    before = await kept.get(caller.person_id)
    if request.nothing:
        await kept.remove(caller.person_id)
        return MyNotices(notice=None, before=before, login=login)
    if not (request.events or request.quiet):
        return MyNotices(notice=before, shown=True, login=login)
    about = request.events or (before.about if before else ())
    if not about:
        raise UsageError("Of what? Write it before the hours: failed, ended or waiting.", given=QUIET)
    notice = Notice(
        person_id=caller.person_id,
        name=caller.name,
        team_id=caller.team_id,
        channel_id=await _direct_channel(caller, context),
        about=about,
        quiet=request.quiet,
        zone=await context.messenger.zone_of(caller.person_id) if request.quiet else "",
        since=before.since if before else utc_now(),
        waiting_since=_waiting_since(before),
    )
    await kept.put(notice)
    return MyNotices(notice=notice, before=before, login=login)


def _waiting_since(before: Notice | None) -> datetime | None:
    """Return since when somebody asks for what waits, where they asked for something else before."""
    if before is None or About.WAITING in before.about:
        return before.waiting_since if before else None
    return utc_now()


async def _direct_channel(caller: Caller, context: Context) -> str:
    """Return where they are told; raises NothingToDo where Slack lets us tell them nothing there."""
    try:
        return await context.messenger.direct_channel(caller.person_id)
    except SlackError as error:
        if refused(error.code) is not Refused.FOR_GOOD:
            raise
        raise NothingToDo("no_direct_messages", what=error.code) from error


def register(router: Router) -> None:
    """Teach the router this command; what of their builds somebody may look at is asked each time."""
    router.command(HELP, permission="read", request=Wanted, parse=parse, handle=notify)
