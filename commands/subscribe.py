"""Let a channel hear when branches of a project break or are fixed; list what it hears, and end it."""

import asyncio
import re
from collections.abc import Collection, Sequence
from contextlib import suppress

from pydantic import Field

from bot.actions import EndSubscription
from bot.answers.subscriptions import Subscribed, Subscriptions, Unseen, WhichSubscription
from bot.errors import CircleCIError, NotFound, NothingToDo, UsageError
from bot.grammar import Word, without_stop
from bot.models import patterns, rule_line
from bot.models.build import Build
from bot.models.caller import Caller
from bot.models.circleci import Pipeline, Project, ProjectSlug, Ref
from bot.models.globs import matches
from bot.models.help import CommandHelp
from bot.models.likeness import are_alike
from bot.models.rule_line import TAG
from bot.models.slugs import spelled_alike
from bot.models.subscription import Event, Subscription, Wish
from bot.permissions import SOON_SECONDS
from bot.policy import globs
from bot.requests import Request
from bot.routing import Context, Router
from bot.settings import Projects
from bot.together import together
from bot.watching.fitting import known_projects
from commands.rules import ME, OfBranches, OfRule, parse, parse_rule, ref_of
from formatters.subscriptions import pages as in_pages

SUBSCRIBE = CommandHelp(
    name="subscribe",
    group="Ship",
    summary="Let this channel hear when branches of a project break or are fixed, whoever pushed.",
    usage=f"subscribe <project> [<branches>] [tag:v*] {' '.join(f'[{event}]' for event in Event)} "
    "[thread | channel] [by=<login>] [workflow=<name>] [mention=@group]",
    example="subscribe acme/frontend main release/*",
    phrases=(
        "subscribe acme/frontend",
        "subscribe acme/frontend * !renovate/* broke channel",
        "subscribe acme/* !acme/old",
        "subscribe acme/frontend main by=octo-ada workflow=deploy",
    ),
    meanings=(
        ("broke", "a branch was green, and now a build of it has failed"),
        ("fixed", "it was red, and now a build has passed; without an event these two are meant"),
        ("still-red", "another build failed while it was red"),
        ("failed, passed", "each build that fails, or passes"),
        ("waiting", "something waits for an approval, with the button for it"),
        ("deployed", "a job that deploys has passed"),
        ("flaky, slow", "a test failed and passed on one commit; a build took twice its usual time"),
        ("thread, channel", "in one thread for each time that it is red, which is usual, or each a message of its own"),
        ("by=, workflow=, mention=", "whose builds, or which workflow, alone count; whom it mentions"),
        (
            "!, *, tag:v*, quotes",
            "what is left out; all branches; tags; quotes around a branch that is called as these",
        ),
    ),
)
UNSUBSCRIBE = CommandHelp(
    name="unsubscribe",
    group="Ship",
    summary="Let this channel hear of it no more.",
    usage="unsubscribe <project> [<branches>] [<events>]",
    example="unsubscribe acme/frontend main release/*",
    phrases=("unsubscribe acme/frontend",),
)
SUBSCRIPTIONS = CommandHelp(
    name="subscriptions",
    group="Look",
    summary="Say what this channel hears of which branches, and how each ends.",
    usage="subscriptions [<page>]",
    example="subscriptions",
    phrases=("subscriptions 2",),
)
MOST_OUTLINED = 5  # builds, in which a workflow is looked for
MOST_LOOKED_FOR = 3  # of the branches that are named: whether CircleCI has built any
_PAGE = re.compile(r"[1-9][0-9]{0,2}")


class Page(Request):
    """Which page of a list."""

    page: int = Field(1, ge=1, le=999)


async def subscribe(request: OfBranches, caller: Caller, context: Context) -> Subscribed:
    """Let the channel hear of it, and say so there."""
    wish = await _with_name(await _wish(request, caller, context), context)
    if patterns.is_pattern(request.project):
        meant = (request.project, *(f"!{one}" for one in request.left_out))
        known = await known_projects(context.circleci, context.projects, lambda *names: patterns.fits(meant, *names))
        found, is_all = known
        return await context.operations.subscribe_to_all(caller, request.project, wish, found, is_all=is_all)
    slug, _ = request.about(context.projects)
    project = await context.finder.project(slug or ProjectSlug(""), caller)
    if not (request.branches or project.default_branch):
        raise UsageError("CircleCI names no default branch there. Which branches?", given=project.title)
    unbuilt = await _unbuilt(project, request.branches, caller, context)
    unseen = await _unseen(project, wish, caller, context) if wish.scope else None
    return await context.operations.subscribe(caller, project, wish, unbuilt, unseen)


async def _wish(request: OfBranches, caller: Caller, context: Context) -> Wish:
    """Return what is to be told; whoever is named as in Slack stands for their name at the code host."""
    person = caller.person_id if request.by == ME else request.person
    if not person:
        return request.wish
    if login := await context.authors.login_of(person):
        return request.wish.model_copy(update={"by": login})
    problem = "I do not know what they are called at the code host. Write that name, as in by=octo-ada; or whoever runs"
    given = "" if request.by == ME else await context.messenger.user_name(person)
    raise UsageError(f"{problem} me writes it into the projects file, under people.", given=given or request.by)


async def _with_name(wish: Wish, context: Context) -> Wish:
    """Return it with what people call whom it mentions: an id tells nobody who that is."""
    if not wish.mention or wish.mention_name:
        return wish
    is_group = wish.mention.startswith("S")
    name = await (context.messenger.group_name if is_group else context.messenger.user_name)(wish.mention)
    return wish.model_copy(update={"mention_name": f"@{name}" if name and is_group else name})


async def _unbuilt(project: Project, names: Sequence[str], caller: Caller, context: Context) -> tuple[str, ...]:
    """Return the branches of which CircleCI has built nothing, of the first few; nobody waits for that."""
    plain = [one for one in names if globs.is_plain(one) and not one.startswith(("!", TAG))]
    plain = [one for one in plain if one != project.default_branch]
    found = list[str]()
    with suppress(CircleCIError, NotFound, TimeoutError):
        async with asyncio.timeout(SOON_SECONDS):
            for name in plain[:MOST_LOOKED_FOR]:
                is_seen = await context.finder.may_read(caller, project.slug, Ref(name=name))
                if is_seen and not await context.finder.has_branch(project.slug, name):
                    found.append(name)
    return tuple(found)


async def _unseen(project: Project, wish: Wish, caller: Caller, context: Context) -> Unseen | None:
    """Return what of whose builds and which workflows alone count none of the newest has; nobody waits for that.

    What they may not look at is as if it were not there.
    """
    listed, builds = list[Pipeline](), list[Build]()
    with suppress(CircleCIError, NotFound, TimeoutError):
        async with asyncio.timeout(SOON_SECONDS):
            newest = await context.circleci.pipelines(project.slug)
            readable = await context.permissions.readable(caller, {(project.slug, one.ref) for one in newest})
            listed = [one for one in newest if (project.slug, one.ref) in readable]
            outlined = listed[:MOST_OUTLINED] if wish.workflows else []
            builds = list(await together(*(context.circleci.outline(one) for one in outlined)))
    people = {one.actor for one in listed if one.actor}
    return unseen(wish, people, {run.workflow.name for build in builds for run in build.runs})


def unseen(wish: Wish, people: Collection[str], workflows: Collection[str]) -> Unseen | None:
    """Return what a line has that none of these fits, and what is nearly that; None for nothing. Pure."""
    names = [wish.by] if wish.by and people and wish.by.lower() not in map(str.lower, people) else []
    globs_of_none = [
        one for one in wish.workflows if workflows and not one.startswith("!") and not matches([one], workflows)
    ]
    near = [rule_line.options("", one, ()) for one in sorted(people) if any(are_alike(name, one) for name in names)]
    near += [
        rule_line.options("", "", [one]) for one in sorted(workflows) if any(are_alike(it, one) for it in globs_of_none)
    ]
    found = rule_line.options("", names[0] if names else "", globs_of_none)
    return Unseen(options=tuple(found), near=tuple(option for one in near for option in one)) if found else None


async def unsubscribe(request: OfRule, caller: Caller, context: Context) -> Subscribed | WhichSubscription:
    """End the one that is named, or the only one to a project; CircleCI is not asked, as it may know it no more.

    Who made one may end it, also where they may not read it any more. A run that died is gone on with.
    """
    if begun := await context.operations.begun_to_end(caller):
        return await context.operations.unsubscribe(caller, begun)
    slug = await context.store.subscriptions.now_called(ProjectSlug(request.project))  # which may be typed as it was
    of_channel = await _of_channel(caller, context)
    kept = await _theirs([one for one in of_channel if _is_of(one, slug)], caller, context)
    wish = await _wish(request, caller, context)
    named = meant(kept, request, wish)
    if len(named) == 1:
        return await context.operations.unsubscribe(caller, named[0])
    if named:
        return WhichSubscription(project_title=named[0].project_title, subscriptions=tuple(named))
    of_project = await context.store.subscriptions.of_project(slug)
    of_patterns = [one for one in of_project if one.pattern and one.channel_id == caller.channel_id]
    near = nearest([*kept, *await _theirs(of_patterns, caller, context)], request)
    if not near:
        raise NothingToDo("not_subscribed", what=_called(request.project))
    return WhichSubscription(project_title=_called(slug), subscriptions=tuple(near), are_near=True)


async def end(button: EndSubscription, caller: Caller, context: Context) -> Subscribed:
    """End the very one that is listed: one that was begun anew with the same line is another."""
    if begun := await context.operations.begun_to_end(caller):
        return await context.operations.unsubscribe(caller, begun)
    of_channel = await _of_channel(caller, context)
    found = [one for one in of_channel if one.mark == button.mark]
    if not found:
        raise NothingToDo("subscription_over")
    return await context.operations.unsubscribe(caller, found[0])


async def _theirs(found: Sequence[Subscription], caller: Caller, context: Context) -> list[Subscription]:
    """Return those that somebody made, or may read."""
    of_others = [one for one in found if one.made_by != caller.person_id]
    readable = await readable_of(of_others, caller, context)
    return [one for one in found if one not in of_others or one in readable]


def nearest(found: Sequence[Subscription], request: OfBranches) -> Sequence[Subscription]:
    """Return those that tell of a branch which a line names, where it ends none of them; else all that may. Pure."""
    names = [name for name in request.branches if not name.startswith("!")]
    about = [one for one in found if any(_tells_of(one, name) for name in names)]
    return about or found


def _tells_of(one: Subscription, name: str) -> bool:
    return name in one.branches or (globs.is_plain(name) and one.wants_ref(ref_of(name)))


def _called(project: str) -> str:
    return project if patterns.is_pattern(project) else project.partition("/")[2]


def _is_of(one: Subscription, project: str) -> bool:
    return spelled_alike(one.pattern or one.project_slug) == spelled_alike(project)


def meant(kept: Sequence[Subscription], request: OfBranches, wish: Wish) -> Sequence[Subscription]:
    """Return the one of a project that a line means, or all that it may mean; none where it names none. Pure.

    What it leaves out may be any where there is one alone; of several it means the one that is just so.
    """
    found = _named(kept, request, wish)
    is_sure = len(found) != 1 or len(kept) == 1 or _is_just_so(found[0], request, wish)
    return found if is_sure else kept


def _is_just_so(one: Subscription, request: OfBranches, wish: Wish) -> bool:
    """Say whether a line leaves out nothing that narrows one, but the usual events."""
    is_of_events = set(one.events) == set(request.events or wish.events) or not request.branches
    return is_of_events and one.scope == wish.scope and set(one.left_out) == set(request.left_out)


def _named(kept: Sequence[Subscription], request: OfBranches, wish: Wish) -> list[Subscription]:
    """Return those that a line names: what it leaves out may be any, unless one is just so."""
    found = [one for one in kept if _is_named(one, request, wish)]
    said = (wish.scope, sorted(request.left_out)) if request.branches or request.events else None
    just_so = [one for one in found if (one.scope, sorted(one.left_out)) == said]
    return just_so or found


def _is_named(one: Subscription, request: OfBranches, wish: Wish) -> bool:
    """Say whether a line names one: its branches and its events, or none of them for any, and what it says beside."""
    is_any = not (request.branches or request.events)
    is_of_scope = not wish.scope or wish.scope == one.scope
    is_of_projects = not request.left_out or set(request.left_out) == set(one.left_out)
    is_of_events = not request.events or set(one.events) == set(request.events)
    is_of_branches = is_any or (set(one.branches) == set(request.branches) and is_of_events)
    return is_of_branches and is_of_scope and is_of_projects


async def subscriptions(request: Page, caller: Caller, context: Context) -> Subscriptions:
    """Answer with what the channel hears, as far as the caller may read it; what is left out is not counted."""
    kept = await _of_channel(caller, context)
    found = await readable_of(kept, caller, context)
    pages = in_pages(found) or [()]
    page = min(request.page, len(pages))
    return Subscriptions(subscriptions=pages[page - 1], total=len(found), page=page, pages=len(pages))


async def _of_channel(caller: Caller, context: Context) -> list[Subscription]:
    return await context.store.subscriptions.of_channel(caller.channel_id) if caller.channel_id else []


async def readable_of(kept: Sequence[Subscription], caller: Caller, context: Context) -> list[Subscription]:
    """Return those of projects and branches that somebody may read; a glob names none for sure.

    Of a pattern it takes one project that they may read, and none that it names may be hidden from them.
    """
    places = [place for one in kept if not one.pattern for place in _places(one)]
    readable = await context.permissions.readable(caller, places)
    found = [one for one in kept if not one.pattern and readable.issuperset(_places(one))]
    for one in kept:
        if one.pattern and await _reads_any_of(one, caller, context):
            found += [] if await _names_hidden(one, caller, context) else [one]
    return [one for one in kept if one in found]


async def _reads_any_of(one: Subscription, caller: Caller, context: Context) -> bool:
    """Say whether somebody may read any project of a pattern.

    CircleCI may have to be asked what each is called: few are asked about at first, and all where none of these do.
    """
    left, number = [(place.slug, None) for place in await context.store.subscriptions.fitting(one.id)], 1
    while left:
        if await context.permissions.readable(caller, left[:number]):
            return True
        left, number = left[number:], number * 4
    return False


async def _names_hidden(one: Subscription, caller: Caller, context: Context) -> bool:
    """Say whether a project that is left out is one that somebody may not look at."""
    host = one.pattern.partition("/")[0] if one.pattern.count("/") > 1 else context.projects.default_vcs
    named = [name if name.count("/") > 1 else f"{host}/{name}" for name in one.left_out if globs.is_plain(name)]
    may = context.permissions.may_read_no_more
    return any([await may(caller, ProjectSlug(slug), None) for slug in named])


def _places(one: Subscription) -> list[tuple[ProjectSlug, Ref | None]]:
    names = [name.removeprefix("!") for name in one.branches or (one.default_branch,)]
    named = [(one.project_slug, ref_of(name)) for name in names if name and globs.is_plain(name)]
    return [(one.project_slug, None), *named]


def parse_page(words: Sequence[Word], projects: Projects) -> Page:  # each parser has both
    """Return which page."""
    rest = without_stop(words, "?.")
    if not rest:
        return Page()
    if len(rest) > 1 or not _PAGE.fullmatch(rest[0].text):
        raise UsageError("I expected the number of a page, or nothing.", given=rest[-1].text)
    return Page(page=int(rest[0].text))


def register(router: Router) -> None:
    """Teach the router these commands. To read is enough, but what they change everybody in the channel reads."""
    router.command(SUBSCRIBE, permission="read", request=OfBranches, parse=parse, handle=subscribe)
    router.command(UNSUBSCRIBE, permission="read", request=OfRule, parse=parse_rule, handle=unsubscribe)
    router.action(EndSubscription, permission="read", handle=end)
    router.command(SUBSCRIPTIONS, permission="read", request=Page, parse=parse_page, handle=subscriptions)
