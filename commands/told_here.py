"""What a channel was told that still holds: which branches are red there, and what waits for an approval.

All of it is kept, so that CircleCI is asked for nothing; whoever asks reads what they may look at.
"""

import asyncio
from collections.abc import Sequence

from bot.models.caller import Caller
from bot.models.circleci import ProjectSlug
from bot.models.occasions import Hold
from bot.models.red import Branch
from bot.models.slugs import spelled_alike
from bot.models.subscription import Subscription, named_in, ref_named
from bot.policy import Word
from bot.routing import Context
from commands.here import About, Red, Waits


async def told_here(caller: Caller, context: Context) -> tuple[list[Red], list[Waits]]:
    """Return what is red in a channel by its subscriptions, and what was told there to wait, each the newest first."""
    if not (channel_id := caller.channel_id):
        return [], []
    kept = context.store.subscriptions
    titles = await _titles(await kept.of_channel(channel_id), context)
    if not titles:
        return [], []
    each = await asyncio.gather(*(kept.known_of(channel_id, slug) for slug, _ in titles.values()))
    known = [state for of_project in each for state in of_project]
    holds = [
        hold.model_copy(update={"project_slug": await kept.now_called(hold.project_slug)})
        for _, hold in await context.store.occasions.waiting_in(channel_id)
        if hold.number
    ]
    now = await context.store.now()
    red = [_red(state, titles, is_snoozed=state.is_snoozed(now)) for state in _whole(known)]
    waits = [_waits(hold, titles) for hold in holds if spelled_alike(hold.project_slug) in titles]
    places = [about[:3] for about in (*(one.about for one in red), *(one.about for one in waits))]
    seen = await context.permissions.offered(caller, [Word.READ], places)
    red = [one for one in red if (Word.READ, one.about.slug, one.about.ref) in seen]
    waits = [one for one in waits if (Word.READ, one.about.slug, one.about.ref) in seen]
    return sorted(red, key=lambda one: one.since, reverse=True), sorted(waits, key=_number, reverse=True)


async def _titles(rules: Sequence[Subscription], context: Context) -> dict[str, tuple[ProjectSlug, str]]:
    """Return the projects that the subscriptions of a channel are to, with what they are called."""
    found = dict[str, tuple[ProjectSlug, str]]()
    for rule in rules:
        if rule.pattern:
            fitting = await context.store.subscriptions.fitting(rule.id)
            found |= {spelled_alike(one.slug): (one.slug, one.title) for one in fitting}
        else:
            found[spelled_alike(rule.project_slug)] = (rule.project_slug, rule.project_title)
    return found


def _whole(known: Sequence[Branch]) -> list[Branch]:
    """Return what is red: of a branch all of it, where that is, and else what some of its builds are."""
    red = [one for one in known if one.is_red]
    whole = {(one.project_slug, one.branch) for one in red if named_in(one.branch) == one.branch}
    return [
        one
        for one in red
        if one.branch == named_in(one.branch) or (one.project_slug, named_in(one.branch)) not in whole
    ]


def _red(state: Branch, titles: dict[str, tuple[ProjectSlug, str]], *, is_snoozed: bool) -> Red:
    slug, title = titles[spelled_alike(state.project_slug)]
    return Red(
        about=About(slug, title, ref_named(named_in(state.branch))),
        key=state.branch,
        since=state.red_since,
        or_before=state.or_before,
        looking=state.looking,
        snoozed_until=state.snoozed_until if is_snoozed else None,
    )


def _waits(hold: Hold, titles: dict[str, tuple[ProjectSlug, str]]) -> Waits:
    slug, title = titles[spelled_alike(hold.project_slug)]
    jobs = tuple(one.job.name for one in hold.changes if one.job is not None and one.job.waits_for_approval)
    return Waits(About(slug, title, ref_named(named_in(hold.branch))), hold.number, jobs)


def _number(one: Waits) -> int:
    return one.number
