"""Let a channel hear when branches of a project break or are fixed; list what it hears, and end it."""

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress

from pydantic import Field

from bot.answers.subscriptions import Subscribed, Subscriptions, WhichSubscription
from bot.errors import CircleCIError, NotFound, NothingToDo, UsageError
from bot.grammar import Word, check_no_question, parse_project, without_stop
from bot.models.caller import Caller
from bot.models.circleci import Project, ProjectSlug, Ref
from bot.models.help import CommandHelp
from bot.models.slugs import spelled_alike
from bot.models.subscription import (
    MENTION,
    NO_BRANCHES,
    OURS,
    USUAL,
    Event,
    Mode,
    Subscription,
    Wish,
    is_id,
    is_of_sentences,
    slip,
)
from bot.models.target import Target
from bot.permissions import SOON_SECONDS
from bot.policy import globs
from bot.refs import TAG
from bot.requests import Request, Typed
from bot.routing import Context, Router
from bot.settings import Projects
from formatters.subscriptions import pages as in_pages

SUBSCRIBE = CommandHelp(
    name="subscribe",
    group="Ship",
    summary="Let this channel hear when branches of a project break or are fixed, whoever pushed.",
    usage="subscribe <project> [<branches>] [broke] [fixed] [still-red] [failed] [passed] [thread | channel] "
    "[mention=@group]",
    example="subscribe acme/frontend main release/*",
    phrases=("subscribe acme/frontend", "subscribe acme/frontend * !renovate/* broke channel"),
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
MOST_BRANCHES, LONGEST_RULE = 20, 700  # characters: a rule is one line of a list
MOST_LOOKED_FOR = 3  # of the branches that are named: whether CircleCI has built any
_MENTIONED = re.compile(
    r"<!subteam\^(S[A-Z0-9]{1,30})(?:\|([^<>]{0,200}))?>|<@([UW][A-Z0-9]{1,30})(?:\|([^<>]{0,200}))?>"
)
_PAGE = re.compile(r"[1-9][0-9]{0,2}")


class OfBranches(Request):
    """Which branches of a project, by globs, `!` before what is left out; and what of them. None of it is the usual."""

    project: Typed
    branches: tuple[Typed, ...] = Field((), max_length=MOST_BRANCHES)
    events: tuple[Event, ...] = ()
    mode: Mode = Mode.THREAD
    mention: Typed = ""
    mention_name: Typed = ""

    def about(self, projects: Projects) -> tuple[ProjectSlug | None, Ref | None]:
        """Return the project, and the branch where one alone is named in full."""
        is_one = len(self.branches) == 1 and globs.is_plain(self.branches[0]) and self.branches[0][0] != "!"
        return parse_project(self.project, projects).slug, Ref(name=self.branches[0]) if is_one else None

    @property
    def wish(self) -> Wish:
        """What is to be told."""
        given = {**self.model_dump(exclude={"project", "events"}), "events": self.events or USUAL}
        return Wish.model_validate(given)


class OfRule(OfBranches):
    """What to hear no more: of a project that CircleCI may know no more, or who asks may not look at any more.

    So it is about nothing that could be asked before it is found.
    """

    def about(self, projects: Projects) -> tuple[ProjectSlug | None, Ref | None]:  # noqa: ARG002  # each takes them
        """Return nothing."""
        return None, None


class Page(Request):
    """Which page of a list."""

    page: int = Field(1, ge=1, le=999)


def parse(words: Sequence[Word], projects: Projects) -> OfBranches:
    """Return the request: what is no word of ours is a branch, and one that is called so goes in quotes."""
    check_no_question(words)
    rest = without_stop(words)
    if not rest:
        raise UsageError("Which project?")
    target = _project(rest[0].text, projects)
    ours = [word for word in rest[1:] if _is_ours(word)]
    said = [word.text.lower() for word in ours]
    branches = [*([target.ref.name] if target.ref else []), *(_branch(word) for word in rest[1:] if word not in ours)]
    return OfBranches(
        project=target.slug or "",
        branches=_few(branches),
        events=tuple(event for event in Event if event in said),
        mode=Mode(_one([mode for mode in Mode if mode in said]) or Mode.THREAD),
        **_mention([word.text for word in ours if word.text.lower().startswith(MENTION)]),
    )


def parse_rule(words: Sequence[Word], projects: Projects) -> OfRule:
    """Return the same of what is to end."""
    return OfRule.model_validate(parse(words, projects).model_dump())


def _is_ours(word: Word) -> bool:
    text = word.text.lower()
    return not word.quoted and (text in OURS or text.startswith(MENTION))


def _project(text: str, projects: Projects) -> Target:
    if "*" in text:
        raise UsageError("I take one project at a time, by its whole name.", given=text)
    target = parse_project(text, projects)
    is_more = target.names_a_build or target.commit or target.pull_request or (target.ref and target.ref.is_tag)
    if target.slug is None or is_more:
        raise UsageError("This is one build or a tag, and a channel hears of branches.", given=text)
    return target


def _branch(word: Word) -> str:
    """Return a branch or a glob of branches; raises UsageError for what is neither, or may be a slip in a word of ours.

    It would wait for ever for a branch that nobody has.
    """
    text = word.text
    if not word.quoted and (text.startswith(NO_BRANCHES) or "=" in text):
        problem = "I expected branches, events, thread or channel, or mention= with a group. A branch that is called so"
        raise UsageError(f"{problem} goes in quotes.", given=text)
    if not word.quoted and is_of_sentences(text):
        raise UsageError("I take a project and its branches, and no sentence. A branch goes in quotes.", given=text)
    if text.startswith(TAG):
        raise UsageError("A channel hears of branches, and not of tags.", given=text)
    if not word.quoted and text.isdecimal():
        raise UsageError("This is a number, and no branch. A branch that is called so goes in quotes.", given=text)
    if not word.quoted and (near := slip(text)):
        raise UsageError(f"Is it {near}? A branch that is called so goes in quotes.", given=text)
    try:
        return globs.ref(text)
    except ValueError as error:
        raise UsageError(f"This is no branch: {error}.", given=text) from None


def _few(branches: Sequence[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(branches))
    length = sum(map(len, found))
    if len(found) > MOST_BRANCHES or length > LONGEST_RULE:
        problem = f"I take at most {MOST_BRANCHES} branches at a time, of {LONGEST_RULE} characters in all."
        raise UsageError(problem, given=f"{len(found)} branches, {length} characters")
    return found


def _one(found: Sequence[str]) -> str:
    """Return what was said once, or empty text."""
    if len(set(found)) > 1:
        raise UsageError("Only one of these can be meant.", given=" ".join(found))
    return found[0] if found else ""


def _mention(said: Sequence[str]) -> dict[str, str]:
    """Return whom to mention, and by what name; Slack gives its id where somebody is mentioned in a message to us."""
    if not said:
        return {}
    text = _one(said)[len(MENTION) :]
    if found := _MENTIONED.fullmatch(text):
        return {"mention": found[1] or found[3], "mention_name": found[2] or found[4] or ""}
    if is_id(text):
        return {"mention": text}
    problem = "A slash command brings me a name alone, and I cannot tell who that is. Write the same to me as @ci, or"
    raise UsageError(f"{problem} give Slack's id of the group, as in mention=S0ONCALL.", given=text)


async def subscribe(request: OfBranches, caller: Caller, context: Context) -> Subscribed:
    """Let the channel hear of it, and say so there."""
    slug, _ = request.about(context.projects)
    project = await context.finder.project(slug or ProjectSlug(""), caller)
    if not (request.branches or project.default_branch):
        raise UsageError("CircleCI names no default branch there. Which branches?", given=project.title)
    unbuilt = await _unbuilt(project, request.branches, caller, context)
    return await context.operations.subscribe(caller, project, request.wish, unbuilt)


async def _unbuilt(project: Project, names: Sequence[str], caller: Caller, context: Context) -> tuple[str, ...]:
    """Return the branches of which CircleCI has built nothing, of the first few; nobody waits for that."""
    plain = [one for one in names if globs.is_plain(one) and one[0] != "!" and one != project.default_branch]
    found = list[str]()
    with suppress(CircleCIError, NotFound, TimeoutError):
        async with asyncio.timeout(SOON_SECONDS):
            for name in plain[:MOST_LOOKED_FOR]:
                is_seen = await context.finder.may_read(caller, project.slug, Ref(name=name))
                if is_seen and not await context.finder.has_branch(project.slug, name):
                    found.append(name)
    return tuple(found)


async def unsubscribe(request: OfRule, caller: Caller, context: Context) -> Subscribed | WhichSubscription:
    """End the one that is named, or the only one to a project; CircleCI is not asked, as it may know it no more.

    Who made one may end it, also where they may not read it any more.
    """
    of_project = [one for one in await _of_channel(caller, context) if _is_of(one, request.project)]
    readable = await _readable(of_project, caller, context)
    kept = [one for one in of_project if one.made_by == caller.person_id or one in readable]
    named = [one for one in kept if _is_named(one, request)]
    if not named:
        raise NothingToDo("not_subscribed", what=request.project.partition("/")[2])
    if len(named) > 1:
        return WhichSubscription(project_title=named[0].project_title, subscriptions=tuple(named))
    return await context.operations.unsubscribe(caller, named[0])


def _is_of(one: Subscription, slug: str) -> bool:
    return spelled_alike(one.project_slug) == spelled_alike(slug)


def _is_named(one: Subscription, request: OfBranches) -> bool:
    """Say whether a line names one: its branches and its events, or none of them for any."""
    if not (request.branches or request.events):
        return True
    is_of_events = not request.events or set(one.events) == set(request.events)
    return set(one.branches) == set(request.branches) and is_of_events


async def subscriptions(request: Page, caller: Caller, context: Context) -> Subscriptions:
    """Answer with what the channel hears, as far as the caller may read it; what is left out is not counted."""
    kept = await _of_channel(caller, context)
    found = await _readable(kept, caller, context)
    pages = in_pages(found) or [()]
    page = min(request.page, len(pages))
    return Subscriptions(subscriptions=pages[page - 1], total=len(found), page=page, pages=len(pages))


async def _of_channel(caller: Caller, context: Context) -> list[Subscription]:
    return await context.store.subscriptions.of_channel(caller.channel_id) if caller.channel_id else []


async def _readable(kept: Sequence[Subscription], caller: Caller, context: Context) -> list[Subscription]:
    """Return those of projects and branches that somebody may read; a glob names none for sure."""
    readable = await context.permissions.readable(caller, [place for one in kept for place in _places(one)])
    return [one for one in kept if readable.issuperset(_places(one))]


def _places(one: Subscription) -> list[tuple[ProjectSlug, Ref | None]]:
    names = [name.removeprefix("!") for name in one.branches or (one.default_branch,)]
    named = [(one.project_slug, Ref(name=name)) for name in names if name and globs.is_plain(name)]
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
    router.command(SUBSCRIPTIONS, permission="read", request=Page, parse=parse_page, handle=subscriptions)
