"""Let a channel hear nothing of a red branch for a while: by a line, or by the buttons of its message."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot import ends
from bot.actions import EndSnooze, SnoozeForm
from bot.answers.subscriptions import Snoozed
from bot.errors import UsageError
from bot.grammar import Word, check_no_question, parse_project, parse_ref, without_stop
from bot.models.caller import Caller
from bot.models.circleci import ProjectSlug, Ref
from bot.models.help import CommandHelp
from bot.requests import Request, Typed
from bot.routing import Context, Router
from bot.settings import Projects
from formatters import snoozes

SNOOZE = CommandHelp(
    name="snooze",
    group="Ship",
    summary="Let this channel hear nothing of a red branch for a while, but that it is fixed.",
    usage="snooze <project> [<branch>] <length> | until <time> | off",
    example="snooze acme/frontend main 2h",
    phrases=("snooze acme/frontend until tomorrow 9:00", "snooze acme/frontend main off"),
)
LONGEST = timedelta(days=7)
WHEN = "Until when? Write `2h`, `until 14:00`, `until tomorrow 9:00`, or `off` to end it."


class OfSnooze(Request):
    """Which branch of a project, the default one without a name, and until when; without that it ends."""

    project: Typed
    branch: Typed = ""
    until: Typed = ""

    def about(self, projects: Projects) -> tuple[ProjectSlug | None, Ref | None]:
        """Return the project, and the branch where one is named."""
        return parse_project(self.project, projects).slug, Ref(name=self.branch) if self.branch else None


def parse(words: Sequence[Word], projects: Projects) -> OfSnooze:
    """Return the request; what is no time is the branch, and one that is called so goes in quotes."""
    check_no_question(words)
    rest = without_stop(words)
    if not rest:
        raise UsageError("Which project?")
    target = parse_project(rest[0].text, projects)
    if target.slug is None or target.names_a_build or target.commit or target.pull_request:
        raise UsageError("I expected a project and its branch.", given=rest[0].text)
    is_off = len(rest) > 1 and not rest[-1].quoted and rest[-1].text.lower() == snoozes.OFF
    until, behind = ("", rest[1:-1]) if is_off else _end(rest[1:])
    named = [*([target.ref] if target.ref else []), *(parse_ref(word) for word in behind)]
    if len(named) > 1 or any(ref.is_tag for ref in named):
        raise UsageError("I take one branch, and until when.", given=behind[-1].text if behind else rest[0].text)
    if not (until or is_off):
        raise UsageError(WHEN, given=behind[-1].text if behind else rest[0].text)
    return OfSnooze(project=target.slug, branch=named[0].name if named else "", until=until)


def _end(words: Sequence[Word]) -> tuple[str, Sequence[Word]]:
    """Return until when it is said to be, and what is left; there is no reason that could hold such words."""
    try:
        return ends.find(words, behind_a_branch=True)
    except UsageError as error:
        raise UsageError(error.problem.removesuffix(ends.OF_A_REASON), given=error.given) from None


async def snooze(request: OfSnooze, caller: Caller, context: Context) -> Snoozed:
    """Snooze it, or end that; CircleCI is not asked, as the channel's subscriptions know what their projects are."""
    slug, ref = request.about(context.projects)
    slug = slug or ProjectSlug("")
    rules = await context.store.subscriptions.of_project(slug)
    rule = next((one for one in rules if one.channel_id == caller.channel_id), None)
    if rule is not None:
        slug, ref = rule.project_slug, ref or Ref(name=rule.default_branch)
    title = rule.project_title if rule else slug.partition("/")[2]
    until, notes = await _read(request.until, caller, context) if request.until else (None, ())
    done = await context.operations.snooze(caller, slug, title, ref, until)
    return done.model_copy(update={"notes": notes})


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
