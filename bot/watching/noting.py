"""Tells a channel of a build, and keeps why it was, or was not, told, for who asks (`/ci told`)."""

from bot.messenger import Messenger
from bot.models.caller import Place
from bot.models.circleci import PipelineId
from bot.models.slack import utc_now
from bot.models.told import MessageAbout, Reason, Why
from bot.once import post_once
from bot.store import Store
from bot.store.told import ReasonsTold
from bot.watching.about import About
from formatters.blocks import Message

MOST_BEFORE = 4  # messages about one build, beside the newest


async def tell_once(
    store: Store, messenger: Messenger, news: About, place: Place, word: Message, *, kind: str, name: str
) -> str:
    """Return the `ts` of a post that tells of a build, and keep that it does. Raises SlackError."""
    ts = await post_once(messenger, store.claims, place, word, kind=kind, name=name)
    await note(store.told, news, Why.TOLD, ts=ts)
    if place.thread_ts is None:  # in its thread nobody has to name the build
        about = MessageAbout(
            pipeline_id=news.build.pipeline.id, project_slug=news.slug, branch=news.key, number=news.number
        )
        await store.told.note_message(news.channel_id, ts, about)
    return ts


async def note(told: ReasonsTold, news: About, why: Why, **more: object) -> None:
    """Keep why the channel is told of a build, or is not: that it was, by whatever rules, is the last word.

    Each post is noted with its `ts`, whatever it tells of the build, right after it was made.
    """
    pipeline_id = news.build.pipeline.id
    kept = await told.get(pipeline_id, channel_id=news.channel_id)
    if why is not Why.COUNTED and not (kept and kept.why is Why.TOLD and "ts" not in more):
        before = _before(kept, more.get("ts"))
        found = {"why": why, "at": utc_now(), "state": news.build.state, "before": before, **more}
        await told.note(pipeline_id, Reason.model_validate(found), channel_id=news.channel_id)


def _before(kept: Reason | None, ts: object) -> tuple[str, ...]:
    """Return which messages have told of it before this one."""
    told = (*kept.before, kept.ts) if kept else ()
    return tuple(one for one in told if one not in ("", ts))[-MOST_BEFORE:]


async def note_for_all(told: ReasonsTold, pipeline_id: PipelineId, why: Why, **more: object) -> None:
    """Keep why whoever has subscribed is not told of a build, or not yet."""
    await told.note(pipeline_id, Reason.model_validate({"why": why, "at": utc_now(), **more}))
