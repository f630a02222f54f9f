"""Tells a channel of a build, and keeps why it was, or was not, told, for who asks (`/ci told`)."""

from datetime import timedelta
from typing import NamedTuple

from bot.messenger import Messenger
from bot.models.caller import Place
from bot.models.circleci import PipelineId
from bot.models.slack import utc_now
from bot.models.subscription import Event
from bot.models.told import MessageAbout, Reason, Why
from bot.once import post_once
from bot.store import Store
from bot.store.claims import Claims
from bot.store.told import ReasonsTold
from bot.watching.about import About
from formatters.blocks import Message

KEPT = timedelta(days=90)  # as long as how branches stand
_EACH = {Event.BROKE: Event.FAILED, Event.STILL_RED: Event.FAILED, Event.FIXED: Event.PASSED}
MOST_BEFORE = 4  # messages about one build, beside the newest


class Post(NamedTuple):
    """What a post is found again by, and which event it tells."""

    kind: str
    name: str
    event: Event


async def tell_once(store: Store, messenger: Messenger, news: About, place: Place, word: Message, post: Post) -> str:
    """Return the `ts` of a post that tells of a build, and keep that it does, and as what. Raises SlackError."""
    ts = await post_once(messenger, store.claims, place, word, kind=post.kind, name=post.name)
    await note(store.told, news, Why.TOLD, ts=ts, happened=_as_asked(post.event, news))
    await store.claims.claim(_first(news), place.thread_ts or ts, KEPT)
    if place.thread_ts is None:  # in its thread nobody has to name the build
        about = MessageAbout(
            pipeline_id=news.build.pipeline.id, project_slug=news.slug, branch=news.key, number=news.number
        )
        await store.told.note_message(news.channel_id, ts, about)
    return ts


def _as_asked(event: Event, news: About) -> Event:
    """Return as what the channel asked for it: who wants each end hears of what breaks a branch, too."""
    return event if event in news.wanted else _EACH.get(event, event)


async def first_message(claims: Claims, news: About) -> str:
    """Return the message that told first of a build, or below which it was told; empty text for none."""
    return await claims.holder(_first(news)) or ""


def _first(news: About) -> str:
    return f"told-first:{news.channel_id}:{news.key}:{news.build.pipeline.id}"


async def note(told: ReasonsTold, news: About, why: Why, **more: object) -> None:
    """Keep why the channel is told of a build, or is not: that it was, by whatever rules, is the last word.

    Each post is noted with its `ts`, whatever it tells of the build, right after it was made.
    """
    pipeline_id = news.build.pipeline.id
    kept = await told.get(pipeline_id, channel_id=news.channel_id)
    if why is not Why.COUNTED and not (kept and kept.why is Why.TOLD and "ts" not in more):
        before, ts = _before(kept, more.get("ts")), more.get("ts")
        said = {one: as_what for one, as_what in (kept.said if kept else {}).items() if one in before}
        said |= {str(ts): str(more.get("happened", ""))} if ts else {}
        known_as = {one: key for one, key in (kept.known_as if kept else {}).items() if one in before}
        known_as |= {str(ts): news.key} if ts else {}
        known = {"branch": news.key, "asked": tuple(one for one in Event if one in news.wanted)}
        found = {
            "why": why,
            "at": utc_now(),
            "state": news.build.state,
            "before": before,
            "said": said,
            "known_as": known_as,
            **known,
            **more,
        }
        await told.note(pipeline_id, Reason.model_validate(found), channel_id=news.channel_id)


def _before(kept: Reason | None, ts: object) -> tuple[str, ...]:
    """Return which messages have told of it before this one."""
    told = (*kept.before, kept.ts) if kept else ()
    return tuple(one for one in told if one not in ("", ts))[-MOST_BEFORE:]


async def note_for_all(told: ReasonsTold, pipeline_id: PipelineId, why: Why, **more: object) -> None:
    """Keep why whoever has subscribed is not told of a build, or not yet."""
    await told.note(pipeline_id, Reason.model_validate({"why": why, "at": utc_now(), **more}))
