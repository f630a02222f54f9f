"""Say why this channel was told of a build, or was not: as it was decided then, and never guessed."""

from collections.abc import Sequence
from contextlib import suppress

from bot.answers.subscriptions import WhyTold
from bot.errors import CircleCIError, NothingToDo
from bot.models.build import Build, State
from bot.models.caller import Caller
from bot.models.circleci import Pipeline
from bot.models.help import CommandHelp
from bot.models.red import Branch
from bot.models.subscription import Event, Subscription, key_of
from bot.models.told import Reason, Why
from bot.requests import OfTarget, parse_of_target
from bot.routing import Context, Router
from bot.together import together
from bot.watching.branches import is_wanted, would_be
from commands.subscribe import readable_of

HELP = CommandHelp(
    name="told",
    group="Look",
    summary="Say why this channel was told of a build, or was not.",
    usage="told <project> #<pipeline>",
    example="told acme/frontend #2417",
    phrases=("told acme/frontend main",),
)
MOST_NEAR = 3


async def told(request: OfTarget, caller: Caller, context: Context) -> WhyTold:
    """Answer with what was decided of it for this channel, and with its rules; of what they may not read nothing."""
    if not caller.channel_id:
        raise NothingToDo("no_channel")
    pipeline = await context.finder.pipeline(request, caller)
    slug, kept = pipeline.project_slug, context.store.told
    of_channel = [
        one for one in await context.store.subscriptions.of_project(slug) if one.channel_id == caller.channel_id
    ]
    readable = await readable_of(of_channel, caller, context)
    rules = [one for one in readable if _is_about(one, pipeline)]
    here = await kept.get(pipeline.id, channel_id=caller.channel_id)
    of_all = await _of_all(pipeline, context)
    found = WhyTold(
        project_slug=slug,
        project_title=await context.finder.title(slug),
        number=pipeline.number,
        ref=pipeline.ref,
        here=here,
        of_all=of_all,
        **await _links(here, caller, context),
        root=await _root(pipeline, here, caller, context),
        rules=tuple(rules),
        told_by=tuple(_told_by(here, rules, pipeline)),
        nearest=() if rules else tuple(readable[:MOST_NEAR]),
        events=tuple(dict.fromkeys(event for rule in rules for event in rule.events_of(pipeline.ref))),
        is_hidden=len(rules) < len([one for one in of_channel if _is_about(one, pipeline)]),
        waits=bool(rules) and await _waits(pipeline, of_all, context),
        is_missed=await kept.gap(slug, pipeline.number) is not None,
        is_earlier=bool(rules) and pipeline.created_at < min(rule.made_at for rule in rules),
    )
    is_known = here is not None or of_all is not None or not rules
    return found if is_known else await _as_it_would_be(found, pipeline, caller, context)


async def _links(here: Reason | None, caller: Caller, context: Context) -> dict[str, object]:
    """Return the addresses of the messages that told of it, the newest and those before it."""
    told = [*here.before, here.ts] if here and here.ts else []
    found = await together(*(context.messenger.permalink(caller.channel_id, ts) for ts in told))
    return {"link": found[-1], "links_before": tuple(found[:-1])} if found else {}


async def _root(pipeline: Pipeline, here: Reason | None, caller: Caller, context: Context) -> str:
    """Return the address of the message about its branch, which is red since it or before, where none told of it."""
    if here is None or here.ts or not here.branch:
        return ""
    state = await context.store.subscriptions.known(caller.channel_id, pipeline.project_slug, here.branch)
    if state is None or not state.root_ts or not state.is_red or pipeline.number < state.red_since:
        return ""
    return await context.messenger.permalink(caller.channel_id, state.root_ts)


async def _waits(pipeline: Pipeline, of_all: Reason | None, context: Context) -> bool:
    """Say whether it is on hold, where its end is not certain; what CircleCI does not answer is left out."""
    if of_all is None or of_all.why is not Why.AWAITED:
        return False
    with suppress(CircleCIError):
        return (await context.circleci.outline(pipeline)).state is State.ON_HOLD
    return False


def _told_by(here: Reason | None, rules: Sequence[Subscription], pipeline: Pipeline) -> list[Subscription]:
    """Return those of the rules by which it was told: they were there, and ask for what was said."""
    if here is None or pipeline.ref is None:
        return []
    ref, said = pipeline.ref, set[tuple[str, Event]]()
    for ts, as_what in here.said.items():
        key = here.known_as.get(ts, here.branch)  # an earlier version kept that of the last message alone
        said |= {(key, event) for event in Event if event == as_what}
    return [
        one
        for one in rules
        if one.made_at <= here.at
        if any(key == key_of(str(ref), one.scope) and is_wanted(event, one.events_of(ref)) for key, event in said)
    ]


async def _of_all(pipeline: Pipeline, context: Context) -> Reason | None:
    """Return what is so for all that subscribed; that it is looked at again, as long as it is."""
    reason = await context.store.told.get(pipeline.id)
    is_over = reason is not None and reason.why is Why.AWAITED and pipeline.id not in await context.store.news.open()
    return None if is_over else reason


def _is_about(rule: Subscription, pipeline: Pipeline) -> bool:
    return pipeline.ref is not None and rule.wants_ref(pipeline.ref) and rule.is_by(pipeline.actor)


async def _as_it_would_be(found: WhyTold, pipeline: Pipeline, caller: Caller, context: Context) -> WhyTold:
    """Add what would be decided now, where nothing is kept, and how far the list of the project was read."""
    read = await context.store.news.read_up_to(pipeline.project_slug)
    is_unread = read.newest is None or read.newest < pipeline.number
    would = await _would_be(found, await context.circleci.whole(pipeline), caller, context)
    return found.model_copy(update={"would": would, "is_unread": is_unread, "list_failures": read.failures})


async def _would_be(found: WhyTold, build: Build, caller: Caller, context: Context) -> Reason | None:
    """Return what would be decided by the first of its rules to which it is news; of a tag that is not known."""
    slug, ref, now = build.pipeline.project_slug, build.pipeline.ref, await context.store.now()
    rule = next((one for one in found.rules if one.seen(build)), None)
    if rule is None:
        return Reason(why=Why.OTHER_WORKFLOWS, at=now)
    seen = rule.seen(build)
    if seen is None or ref is None or ref.is_tag:
        return None
    key = key_of(ref.name, rule.scope)
    state = await context.store.subscriptions.known(caller.channel_id, slug, key)
    wanted = {event for one in found.rules if one.scope == rule.scope for event in one.events}
    return would_be(state or Branch(channel_id=caller.channel_id, project_slug=slug, branch=key), seen, wanted, now)


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(HELP, permission="read", request=OfTarget, parse=parse_of_target, handle=told)
