"""Let a channel hear nothing of a red branch for a while: by a line, or by the buttons of its message."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import Field

from bot import ends
from bot.actions import EndSnooze, SnoozeForm
from bot.answers.lines import How, LineMeant, LinesMeant
from bot.answers.subscriptions import Snoozed
from bot.errors import NothingToDo, UsageError
from bot.grammar import Word, check_no_question, parse_project, parse_ref, without_stop
from bot.models import days
from bot.models.caller import Caller
from bot.models.circleci import ProjectSlug, Ref
from bot.models.help import CommandHelp
from bot.models.lengths import STOPS
from bot.models.red import Branch
from bot.models.spelling import BEFORE_A_TIME
from bot.models.subscription import named_in
from bot.models.target import Target
from bot.requests import Request, Typed
from bot.routing import Context, Router
from bot.settings import Projects
from bot.targets import is_project
from formatters import snoozes

SNOOZE = CommandHelp(
    name="snooze",
    group="Ship",
    summary="Let this channel hear nothing of a red branch for a while, but that it is fixed.",
    usage="snooze <project> [<branch>] <length> | until <time> | off",
    example="snooze acme/frontend main 2h",
    phrases=("snooze acme/frontend main tomorrow", "snooze acme/frontend main off"),
)
LONGEST = timedelta(days=7)
_READ_OVER = ("on", "of", "for", "branch", "it", "this", "please")
WHEN = "Until when? Write `2h`, `until 14:00`, `tomorrow`, `until tomorrow 14:00`, or `off` to end it."
MORNING = "9:00"  # of a day that is named without a time, as for the button


class OfSnooze(Request):
    """Which branch of a project, the default one without a name, and until when; without that it ends.

    Where no project is named in full, what is `named` is a part of what is red in the channel.
    """

    project: Typed = ""
    branch: Typed = ""
    named: tuple[Typed, ...] = Field((), max_length=2)
    until: Typed = ""

    def about(self, projects: Projects) -> tuple[ProjectSlug | None, Ref | None]:
        """Return the project, and the branch where one is named."""
        slug = parse_project(self.project, projects).slug if self.project else None
        return slug, Ref(name=self.branch) if self.branch else None


def parse(words: Sequence[Word], projects: Projects) -> OfSnooze:
    """Return the request; what is no time is the branch, and one that is called so goes in quotes."""
    check_no_question(words)
    rest = without_stop(words)
    target = _project(rest[0], projects) if rest else None
    until, behind = _until(rest[1:] if target else rest)
    named = [word for word in behind if word.quoted or word.text.lower() not in _READ_OVER]
    if target is None:
        return OfSnooze(named=_few([word.text for word in named], 2), until=until)
    refs = [*([target.ref] if target.ref else []), *(_branch(word) for word in named)]
    _few([ref.name for ref in refs], 1)
    return OfSnooze(project=target.slug or "", branch=refs[0].name if refs else "", until=until)


def _project(word: Word, projects: Projects) -> Target | None:
    """Return what the first word names, where that is a project in full; its branch may be named with it."""
    if word.quoted or not is_project(word, projects):
        return None
    target = parse_project(word.text, projects)
    if target.slug is None or target.names_a_build or target.commit or target.pull_request:
        raise UsageError("I expected a project and its branch.", given=word.text)
    if target.ref is not None and target.ref.is_tag:
        raise UsageError("A tag does not stay red, so there is nothing to snooze.", given=word.text)
    return target


def _branch(word: Word) -> Ref:
    ref = parse_ref(word)
    if ref.is_tag or (not word.quoted and (word.text.startswith("#") or word.text.isdecimal())):
        raise UsageError("This is no branch, and one that is called so goes in quotes.", given=word.text)
    return ref


def _few(names: Sequence[str], most: int) -> tuple[str, ...]:
    if len(names) > most:
        raise UsageError(f"I take one branch. {WHEN}", given=names[-1])
    return tuple(names)


def _until(words: Sequence[Word]) -> tuple[str, Sequence[Word]]:
    """Return until when it is said to be, empty text for its end, and what is left."""
    if words and not words[-1].quoted and words[-1].text.lower() == snoozes.OFF:
        return "", words[:-1]
    try:
        return _end_in(words)
    except UsageError:
        if in_the_morning := _with_a_time(words):
            return _end_in(in_the_morning)
        raise


def _end_in(words: Sequence[Word]) -> tuple[str, Sequence[Word]]:
    try:
        until, behind = ends.find(words, behind_a_branch=True)
    except UsageError as error:  # there is no reason that could hold such words
        raise UsageError(error.problem.removesuffix(ends.OF_A_REASON), given=error.given) from None
    if not until:
        raise UsageError(WHEN, given=words[-1].text if words else "")
    return until, behind


def _with_a_time(words: Sequence[Word]) -> list[Word]:
    """Return words whose last one is a day to come with the time that is meant where none is said; none of others.

    `tomorrow`, `until monday` and `tomorrow morning` end in the morning of that day.
    """
    text = ["" if word.quoted else word.text.lower().rstrip(STOPS) for word in words]
    last = len(text) - 1 - (text[-1:] == ["morning"])
    if last < 0 or text[last] == "today" or not days.is_word(text[last]):
        return []
    until = [] if last and text[last - 1] in BEFORE_A_TIME else [Word("until")]
    return [*words[:last], *until, Word(text[last]), Word(MORNING)]


async def snooze(request: OfSnooze, caller: Caller, context: Context) -> Snoozed | LinesMeant:
    """Snooze it, or end that; CircleCI is not asked, as the channel's subscriptions know what their projects are.

    Where that leaves open what is meant, it is asked, by what is red in the channel.
    """
    slug, ref = request.about(context.projects)
    slug = await context.store.subscriptions.now_called(slug) if slug else None  # a line may be of its old name
    rules = await context.store.subscriptions.of_project(slug) if slug else []
    rule = next((one for one in rules if one.channel_id == caller.channel_id), None)
    if rule is None and (lines := await _meant(request, caller, context)):
        return LinesMeant(lines=lines, typed=" ".join(request.named))
    if rule is not None:
        slug, ref = rule.project_slug, ref or Ref(name=rule.default_branch)
    if slug is None:
        raise NothingToDo("nothing_red_here", what=" ".join(request.named))
    title = rule.project_title if rule else slug.partition("/")[2]
    until, notes = await _read(request.until, caller, context) if request.until else (None, ())
    done = await context.operations.snooze(caller, slug, title, ref, until)
    return done.model_copy(update={"notes": notes})


async def _meant(request: OfSnooze, caller: Caller, context: Context) -> tuple[LineMeant, ...]:
    """Return the lines that may be meant: of the thread they speak in, or else of what is red and is called so."""
    slug, _ = request.about(context.projects)
    names = [*request.named, *([slug.partition("/")[2]] if slug else []), *([request.branch] if request.branch else [])]
    found = await _red(caller, context)
    here = caller.place.thread_ts if caller.place else None
    thread = [_place(state) for state in found if here and state.root_ts == here]
    titles = {_place(state): await context.finder.title(state.project_slug) for state in found}
    named = [place for place, title in titles.items() if _fits(names, title, place[1].name)]
    until = request.until or snoozes.OFF
    return tuple(
        LineMeant(
            line=f"snooze {snoozes.line_of(slug, ref.name)} {until}",
            title=titles[slug, ref],
            ref=ref,
            more=(until,),
            how=How.RED,
        )
        for slug, ref in (thread[:1] if thread and not names else named)
    )


async def _red(caller: Caller, context: Context) -> list[Branch]:
    """Return what is red in the channel, as far as the caller may read it."""
    kept, slugs = context.store.subscriptions, list[ProjectSlug]()
    for rule in await kept.of_channel(caller.channel_id) if caller.channel_id else []:
        slugs += [one.slug for one in await kept.fitting(rule.id)] if rule.pattern else [rule.project_slug]
    known = [state for slug in dict.fromkeys(slugs) for state in await kept.known_of(caller.channel_id, slug)]
    readable = await context.permissions.readable(caller, [_place(state) for state in known if state.is_red])
    return [state for state in known if state.is_red and _place(state) in readable]


def _place(state: Branch) -> tuple[ProjectSlug, Ref]:
    return state.project_slug, Ref(name=named_in(state.branch))


def _fits(names: Sequence[str], title: str, branch: str) -> bool:
    """Say whether these name a branch: its project, by its whole name or without its owner, and itself. Pure."""
    of_project = {title.lower(), title.rpartition("/")[2].lower()}
    left = [one for one in names if one.lower() not in of_project]
    return left in ([], [branch]) or (len(left) < len(names) and list(names) == [branch])


async def _read(said: str, caller: Caller, context: Context) -> tuple[datetime, tuple[str, ...]]:
    """Return when that is, in the zone of who says it, and what is to be said of how it was read."""
    zone = await context.messenger.zone_of(caller.person_id) if ends.asks_for_a_zone(said) else ""
    try:
        end = ends.read(said, await context.store.now(), zone, longest=LONGEST)
    except UsageError as error:
        raise UsageError(error.problem.removesuffix(ends.OF_A_REASON), given=error.given) from None
    return end.at, end.notes


async def ready(button: SnoozeForm, caller: Caller, context: Context) -> None:
    """Ask for no time where the branch is not what the message says of it any more."""
    await context.operations.may_snooze(caller, button)


async def submit(button: SnoozeForm, filled: Mapping[str, str], caller: Caller, context: Context) -> Snoozed:
    """Snooze it for as long as was chosen."""
    said = filled.get(snoozes.HOW_LONG, "")
    if said not in snoozes.CHOICES:
        raise UsageError(WHEN, given=said)
    until, notes = await _read(said, caller, context)
    done = await context.operations.snooze_pressed(caller, button, until)
    return done.model_copy(update={"notes": notes})


async def end(button: EndSnooze, caller: Caller, context: Context) -> Snoozed:
    """Let the channel hear of it again; the message that was pressed shows that."""
    done = await context.operations.snooze_pressed(caller, button)
    return done.model_copy(update={"told": True})


def register(router: Router) -> None:
    """Teach the router this command and its buttons."""
    router.command(SNOOZE, permission="read", request=OfSnooze, parse=parse, handle=snooze)
    router.form(SnoozeForm, "Snooze", permission="read", view=snoozes.form, submit=submit, ready=ready)
    router.action(EndSnooze, permission="read", handle=end)
