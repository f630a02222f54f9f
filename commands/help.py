"""Say what can be done here now, what can be said at all, and how one command is used.

Of CircleCI nothing is asked but what projects are called by now, where rules name projects.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

from pydantic import AfterValidator

from bot.answers.lines import How
from bot.answers.mine import MyWait
from bot.answers.ourselves import CommandPage, HelpHere, Overview
from bot.answers.people import PolicyDecision
from bot.errors import CircleCIError, UsageError
from bot.grammar import Word, parse_slug, split
from bot.models import spelling
from bot.models.caller import Caller
from bot.models.circleci import Ref
from bot.models.help import CommandHelp
from bot.models.pending import Pending, Wish
from bot.models.slack import Watch, utc_now
from bot.models.slugs import spelled_alike
from bot.models.spelling import as_typed
from bot.permissions import SOON_SECONDS
from bot.policy import Word as Permission
from bot.requests import Request, Typed
from bot.routing import Command, Context, Router
from bot.settings import Projects
from bot.store.followed import Followed
from commands.here import About, Here, places, rows, short
from commands.subscribe import readable_of
from commands.told_here import told_here
from commands.waiting import as_wait, waiting_for

HELP = CommandHelp(
    name="help",
    group="Learn",
    summary="Say what you can do here now, all that can be said, or how one command is used.",
    usage="help [all | <command>]",
    example="help deploy",
    phrases=("help", "help all", "what can you do"),
    also=("what", "usage", "commands", "?", "--help", "-h"),
)
ALL, MYSELF = ("all", "more", "everything"), "me"
MOST_LOOKED_AT, MOST_GOING_ON = 12, 50  # builds that the channel follows; of those that are polled some more
ACTS = (Permission.DEPLOY, Permission.RERUN, Permission.APPROVE)
LONGEST_PROJECT, LONGEST_BRANCH = 60, 40  # in an example: thirty of them are one message


class Help(Request):
    """Which command to explain, or `everything`; without either what can be done here now.

    It may be a `question`, such as what I can do, which begins with no command.
    """

    name: Annotated[Typed, AfterValidator(str.lower)] | None = None
    everything: bool = False
    question: bool = False


def parse(words: Sequence[Word], projects: Projects) -> Help:
    """Return the command asked about; who says "help me" does not ask about the word `me`."""
    is_for_me = bool(words) and words[0].text.lower() == MYSELF and not words[0].quoted
    said = words[1:] if is_for_me else words
    if not said:
        return Help()
    first = said[0].text.lower()
    if len(said) == 1 and first in ALL:
        return Help(everything=True)
    return Help(name=first, question=len(words) > 1)


async def show_help(request: Help, caller: Caller, context: Context) -> HelpHere | Overview | CommandPage:
    """Answer with what can be done here, with all there is, or with one command's page."""
    command = _asked_about(request.name, context.router) if request.name else None
    if command is not None:
        return await _page(command, caller, context)
    if request.everything:
        return await _overview(caller, context)
    if request.name and not request.question:
        raise UsageError("I do not know this word.", given=request.name)
    return await _here(caller, context)


def _asked_about(name: str, router: Router) -> Command | None:
    """Return the command of this name, or the one behind which such a word stands."""
    asked = (name, f"{name}=")
    known = (one for one in router.commands.values() if not _explained(one.help).isdisjoint(asked))
    return router.named(name) or next(known, None)


def _explained(help: CommandHelp) -> set[str]:  # noqa: A002  # it is what it is
    return {word for words, _ in help.meanings for word in words.split(", ")}


async def _here(caller: Caller, context: Context) -> HelpHere:
    (builds, is_cut, about), (red, waits) = await asyncio.gather(_known(caller, context), told_here(caller, context))
    in_thread = caller.place is not None and any(one.watch.reply_ts == caller.place.thread_ts for one in builds)
    red, waits = ([], []) if in_thread else (red, waits)
    here = Here(
        builds=builds,
        about=about,
        words=frozenset(context.router.commands),
        may=await _may(places(builds, about, waits), caller, context),
        projects=context.projects,
        now=utc_now(),
        is_direct=caller.place is None or caller.place.is_direct,
        is_cut=is_cut,
        red=red,
        waits=waits,
    )
    how, title, ref = (about.how, about.title, about.ref) if about else (How.IN_FULL, "", None)
    waiting, number = await asyncio.gather(_waiting(caller, context), _subscriptions(caller, context))
    is_offered = number == 0 and how is How.CHANNEL
    return HelpHere(
        waiting=waiting,
        rows=rows(here),
        title=title,
        ref=ref,
        how=how,
        subscriptions=number,
        to_subscribe=f"subscribe {short(about.slug, context.projects)}" if about and is_offered else "",
        is_red=bool(red) or in_thread,
    )


async def _subscriptions(caller: Caller, context: Context) -> int | None:
    """Return how many subscriptions there are here, of those that somebody may read; None where nobody says soon."""
    kept = await context.store.subscriptions.of_channel(caller.channel_id) if caller.channel_id else []
    if not kept:
        return 0
    with suppress(CircleCIError, TimeoutError):
        async with asyncio.timeout(SOON_SECONDS):
            return len(await readable_of(kept, caller, context))
    return None


async def _waiting(caller: Caller, context: Context) -> tuple[MyWait, ...]:
    """Return what was asked there and waits for who asks now; in direct messages, wherever it was asked."""
    if not caller.channel_id:
        return ()

    async def may(who: Caller, word: str, wish: Wish) -> bool:
        place = wish.project_slug, wish.project_title, wish.ref
        return bool(await context.permissions.offered(who, [word], [place]))

    everywhere = caller.place is not None and caller.place.is_direct
    there = [
        one for one in await context.store.pending.waiting() if everywhere or one.asker.channel_id == caller.channel_id
    ]
    theirs = list[Pending]()
    with suppress(TimeoutError):  # whoever may not be known so soon is shown nothing
        async with asyncio.timeout(SOON_SECONDS):
            theirs = await waiting_for(caller, there, may, context.whereabouts)
    found = [as_wait(one, caller) for one in theirs]
    return tuple(one for one in found if one.waits_for == "me")


async def _followed(caller: Caller, context: Context) -> tuple[list[Followed], bool]:
    """Return the builds that the thread follows, or else the channel, of those that somebody may see.

    It says too whether there are more that go on.
    """
    if not caller.channel_id:
        return [], False
    found, is_cut = await context.store.followed.lately(caller.channel_id, MOST_LOOKED_AT, MOST_GOING_ON)
    allowed = await _seen([About.of(one.watch) for one in found], caller, context)
    seen = [one for one in found if About.of(one.watch) in allowed]
    thread_ts = caller.place.thread_ts if caller.place else None
    of_thread = [one for one in seen if thread_ts and one.watch.reply_ts == thread_ts]
    return (of_thread, False) if of_thread else (seen, is_cut)


async def _known(caller: Caller, context: Context) -> tuple[list[Followed], bool, About | None]:
    """Return what is followed here, whether there is more that goes on, and what is meant."""
    looked = _followed(caller, context), _last(caller, context), _used(caller, context)
    (builds, is_cut), last, used = await asyncio.gather(*looked)
    about = _about(builds, last, used, caller)
    return builds, is_cut, about or await _heard(caller, context)


async def _meant(caller: Caller, context: Context) -> About | None:
    return (await _known(caller, context))[-1]


def _about(builds: Sequence[Followed], last: About | None, used: About | None, caller: Caller) -> About | None:
    """Return what is meant here: by the thread, the channel, what they did in it last, or what it follows."""
    latest = [About.of(one.watch) for one in builds]
    thread_ts = caller.place.thread_ts if caller.place else None
    if thread_ts and any(one.watch.reply_ts == thread_ts for one in builds):
        return latest[0]._replace(how=How.THREAD, line=_asked_for(builds[0].watch))
    if used is not None and used.ref is None:
        alike = (one for one in (*([last] if last else []), *latest) if _is_of(one, used) and one.ref)
        found = next(alike, None)
        return used._replace(ref=found.ref, line=found.line) if found else used
    return used or last or (latest[0]._replace(how=How.FOLLOWED) if latest else None)


def _asked_for(watch: Watch) -> str:
    """Return the line that deploys what a thread follows, with what it was asked for with."""
    return spelling.deploy(watch.project_slug, watch.ref, watch.parameters, watch.definition) if watch.ref else ""


def _is_of(one: About, other: About) -> bool:
    return spelled_alike(one.slug) == spelled_alike(other.slug)


async def _used(caller: Caller, context: Context) -> About | None:
    used = await context.store.channels.used(caller.channel_id) if caller.channel_id else None
    about = About(used.project_slug, used.project_title, used.ref) if used else None
    return about if about and await _seen([about], caller, context) else None


async def _heard(caller: Caller, context: Context) -> About | None:
    """Return the one project that all subscriptions of the channel are to."""
    heard = await context.store.subscriptions.of_channel(caller.channel_id) if caller.channel_id else []
    found = {spelled_alike(one.project_slug): one for one in heard}
    if len(found) != 1 or heard[0].pattern:
        return None
    about = About(heard[-1].project_slug, heard[-1].project_title, how=How.HEARD)
    return about if await _seen([about], caller, context) else None


async def _last(caller: Caller, context: Context) -> About | None:
    last = await context.store.channels.last_of(caller) if caller.channel_id else None
    with suppress(UsageError):  # an address that another version wrote
        words = split(last.line)[1:2] if last else []
        deploys = last.line if last and last.line.startswith("deploy ") else ""
        about = About(parse_slug(words[0].text, context.projects), last.title, last.ref, How.LAST) if last else None
        about = about and about._replace(line=deploys)
        return about if about and await _seen([about], caller, context) else None
    return None


async def _seen(known: Sequence[About], caller: Caller, context: Context) -> list[About]:
    """Return what somebody may look at of what is known of this place; by its project's names of now, as ever."""
    offered = await context.permissions.offered(caller, [Permission.READ], [one[:3] for one in known])
    return [one for one in known if (Permission.READ, one.slug, one.ref) in offered]


async def _may(known: Sequence[About], caller: Caller, context: Context) -> frozenset[tuple[str, str, Ref | None]]:
    """Return what somebody may do, there and anywhere at all."""
    offered = await context.permissions.offered(caller, ACTS, [one[:3] for one in known])
    return frozenset([*offered, *[(word, "", None) for word in ACTS if await _is_allowed(word, caller, context)]])


async def _is_allowed(word: str, caller: Caller, context: Context) -> bool:
    asked = (await context.permissions.asked(caller, word))._replace(certain=False)
    return (await context.permissions.decision(caller, asked)).allowed


async def _overview(caller: Caller, context: Context) -> Overview:
    """Answer with what somebody may use of what this installation has."""
    commands = [one for one in context.router.commands.values() if not _is_dropped(one, context)]
    words = {_takes(one) for one in commands}
    allowed = {word for word in words if await _is_allowed(word, caller, context)}
    about = await _meant(caller, context)
    known = [_filled(one.help, about, context.projects) for one in commands if _takes(one) in allowed]
    return Overview(commands=tuple(known), is_cut=allowed < words)


async def _page(command: Command, caller: Caller, context: Context) -> CommandPage:
    """Answer with how a command is used, about the project that is meant here, and with who may."""
    permissions, word = context.permissions, _takes(command)
    about = await _meant(caller, context)
    slug, title, ref = about[:3] if about else (None, "", None)
    asked = (await permissions.asked(caller, word, slug, ref, title=title))._replace(certain=False)
    decision = await permissions.decision(caller, asked)
    told = decision._replace(rule=await permissions.reason(decision, asked))
    return CommandPage(
        command=_filled(command.help, about, context.projects),
        decision=PolicyDecision(
            word=word,
            could=await permissions.could(asked),
            elsewhere=await permissions.could_elsewhere(asked),
            **told._asdict(),
        ),
        is_dropped=_is_dropped(command, context),
    )


def _takes(command: Command) -> str:
    return command.help.takes or command.permission


def _is_dropped(command: Command, context: Context) -> bool:
    return command.help.only_on_server and context.settings.is_cloud


def _filled(help: CommandHelp, about: About | None, projects: Projects) -> CommandHelp:  # noqa: A002  # it is what it is
    """Return a command's help with examples about the project that is meant here; one that is too long is left out."""
    project = short(about.slug, projects) if about else ""
    if about is None or len(project) > LONGEST_PROJECT:
        return help
    ref = about.ref if about.ref and about.ref.is_proper and not about.ref.is_tag else None
    branch = as_typed(ref.name) if ref else ""
    return help.about(project, branch if len(branch) <= LONGEST_BRANCH else "")


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(HELP, permission="read", request=Help, parse=parse, handle=show_help, at_once=True)
