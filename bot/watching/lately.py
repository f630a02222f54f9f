"""What a channel would have been told in the last week, had it subscribed before: as far as that is known soon."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.answers.subscriptions import Lately, Posted
from bot.circleci.reads import Reads
from bot.errors import CircleCIError
from bot.models.build import Build
from bot.models.circleci import Pipeline
from bot.models.red import Branch
from bot.models.subscription import Event, Subscription, key_of, named_in, ref_named
from bot.together import together
from bot.waits import politely
from bot.watching.branches import decide, is_red, is_wanted
from bot.watching.read_on import A_PAGE, named_by, read_on
from bot.watching.tags import what_happened

WEEK, SECONDS = timedelta(days=7), 2.0
PAGES, MOST_PAGES, MOST_READ = 2, 8, 20  # of lists; builds
TOLD_OF_ENDS = frozenset({Event.BROKE, Event.FIXED, Event.STILL_RED, Event.FAILED, Event.PASSED})


async def last_week(reads: Reads, rule: Subscription, seconds: float = SECONDS) -> Lately | None:
    """Return what it would have been; None where that is not had so soon, or no list tells of what is wanted."""
    if rule.pattern or not TOLD_OF_ENDS.issuperset(rule.events):
        return None
    try:
        with politely():  # whoever waits for an answer goes first
            async with asyncio.timeout(seconds):
                lists = await _lists(reads, rule)
                wanted = _wanted(lists, rule)
                builds = await together(*(reads.outline(one) for one in wanted[:MOST_READ]))
    except (CircleCIError, TimeoutError):
        return None
    return would_have(rule, builds, reaches=_reaches(lists, wanted)) if builds else None


async def _lists(reads: Reads, rule: Subscription) -> Sequence[Sequence[Pipeline]]:
    """Return the newest builds of each branch that is named, or else of the project."""
    names, slug = named_by(rule), rule.project_slug
    if not names or len(names) > PAGES:
        return [await reads.pipelines(slug, pages=PAGES)]
    pages = PAGES // len(names), MOST_PAGES  # more, where few are left beside those of forks
    return await together(*(read_on(reads, slug, one, _is_a_page, pages) for one in names))


def _is_a_page(listed: Sequence[Pipeline]) -> bool:
    return len(listed) >= A_PAGE


def _wanted(lists: Sequence[Sequence[Pipeline]], rule: Subscription) -> list[Pipeline]:
    """Return the builds that a rule is about, newest first."""
    found = [one for listed in lists for one in listed if one.ref and rule.wants_ref(one.ref) and rule.is_by(one.actor)]
    return sorted(found, key=lambda one: one.number, reverse=True)


def _reaches(lists: Sequence[Sequence[Pipeline]], wanted: Sequence[Pipeline]) -> datetime | None:
    """Return since when all that came was read; None where that is all there is."""
    ends = [min(one.created_at for one in listed) for listed in lists if len(listed) >= A_PAGE]
    ends += [wanted[MOST_READ - 1].created_at] if len(wanted) > MOST_READ else []
    return max(ends, default=None)


def would_have(rule: Subscription, builds: Sequence[Build], *, reaches: datetime | None) -> Lately:
    """Return what a rule would have had told of these builds, which are all that came since it `reaches` back to. Pure.

    None is since ever. Else it is not known what the first of a branch meant for it, but whether it failed.
    """
    now = max(one.read_at for one in builds)
    states, posted = dict[str, Branch](), list[Posted]()
    for build in sorted(builds, key=lambda one: one.pipeline.number):
        ref, seen = build.pipeline.ref, rule.seen(build)
        if ref is None or seen is None:
            continue
        key = key_of(str(ref), rule.scope)
        before = states.get(key)
        state = before or Branch(channel_id=rule.channel_id, project_slug=rule.project_slug, branch=key)
        found = decide(state, seen, rule.events_of(ref))
        states[key] = found.state if found.happened else state
        happened = found.happened
        if happened and ref.is_tag:
            happened = what_happened(seen)
        elif happened and before is None and reaches is not None:
            happened = Event.FAILED if is_red(seen) else Event.PASSED
        ended = seen.stopped_at or build.pipeline.created_at
        if happened and is_wanted(happened, rule.events_of(ref)) and now - ended <= WEEK:
            posted.append(
                Posted(
                    event=_asked_for(happened, rule.events_of(ref)),
                    number=build.pipeline.number,
                    ref=str(ref),
                    at=ended,
                )
            )
    since = reaches if reaches is not None and now - reaches < WEEK else None
    is_least = any(run.attempt > 1 for build in builds for run in build.runs)
    red = tuple(named_in(key) for key, state in states.items() if state.is_red and not ref_named(named_in(key)).is_tag)
    return Lately(posted=tuple(posted), since=since, is_least=is_least, red=red)


def _asked_for(happened: Event, wanted: Sequence[Event]) -> Event:
    """Return what happened by the word of who asked for it."""
    return happened if happened in wanted else Event.PASSED if happened is Event.FIXED else Event.FAILED
