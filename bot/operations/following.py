"""Let a place follow a build, or follow it no more."""

from collections.abc import Sequence

import structlog

from bot.answers.acts import Acted
from bot.errors import NothingToDo, SlackError, Unreadable
from bot.models.build import Build
from bot.models.caller import Caller, Place
from bot.models.circleci import Pipeline
from bot.models.slack import Watch
from bot.operations.frame import Intent, acting
from bot.operations.hands import Hands, Subject
from bot.policy import Word
from bot.watching.changes import noteworthy
from bot.watching.schedule import is_over
from formatters import agreement

MOST_TOLD = 20  # beside who follows it: each is mentioned in one message

log = structlog.get_logger(__name__)


async def watch(hands: Hands, caller: Caller, pipeline: Pipeline, *, is_named: bool) -> Acted:
    """Follow it where it is asked; its root message is the answer. What is followed there tells them of its end too.

    Raises NothingToDo for a branch whose newest build is over: who names a branch means what comes. One that is named
    by itself is told there as it ended. It is raised too for who hears of the end already.
    """
    title = await hands.finder.title(pipeline.project_slug)
    intent = Intent(Subject.of(pipeline, title), Word.READ, f"watch #{pipeline.number}")
    async with acting(hands, caller, intent) as act:
        build = await hands.reads.outline(pipeline)
        over = is_over(build, hands.settings)
        if over and not is_named:
            raise NothingToDo("ended_already", what=title, number=pipeline.number, state=build.outcome)
        is_new = await follow(hands, act.caller, pipeline, title, ended=build if over else None)
        url = "" if is_new else await _join(hands, act.caller, pipeline, over=over)
    return act.done("watch", told=True) if is_new else act.done("join", what=act.caller.called, detail=url)


async def _join(hands: Hands, caller: Caller, pipeline: Pipeline, *, over: bool) -> str:
    """Let what follows it where somebody speaks tell them of the end too; returns where, if that can be linked.

    Raises NothingToDo for who waits there already, where it is over, and where as many wait as are mentioned.
    """
    place, already = await hands.told_in(caller), NothingToDo("followed_already", number=pipeline.number)
    here = [one for one in await hands.store.watches.of(pipeline.id) if one.is_told_in(place)]
    if over or not here or any(caller.person_id in (*one.wait_for_it, one.asker_id) for one in here):
        raise already
    if len(here[0].also_told) >= MOST_TOLD:
        raise NothingToDo("followed_by_many", number=pipeline.number)
    also_told = (*here[0].also_told, caller.person_id)
    watch = await hands.store.watches.save(here[0], here[0].model_copy(update={"also_told": also_told}))
    ts = watch.root_ts
    return await hands.messenger.permalink(watch.thread.channel_id, ts) if ts else ""


async def follow(
    hands: Hands,
    caller: Caller,
    pipeline: Pipeline,
    title: str,
    *,
    ended: Build | None = None,
    act: str = "",
    agreed: str = "",
) -> bool:
    """Let the place somebody speaks in follow a pipeline; False when it does already.

    Of one that has `ended` nobody waits for the end, and what happened on the way is no news. `act` is what they did
    with it that has it followed, as the root says it, with who `agreed` to that, and why an agent asked for it.
    """
    place = await hands.told_in(caller)
    others = await hands.store.watches.of(pipeline.id)
    if any(watch.is_told_in(place) for watch in others):
        return False
    asked = [watch for watch in others if watch.asker_id]
    mine = Watch.of(pipeline, title, caller, await _below(hands, caller, pipeline, place))
    mine = mine.asked_like(asked[0]) if asked else mine
    if act:
        mine = mine.acted_on(caller, act, agreed).model_copy(update={"note": agreement.said_why(caller)})
    if ended is not None:
        known = [change.key for change in noteworthy(ended)]
        mine = mine.with_told(*known).model_copy(update={"known_end": ended.fingerprint})
    await hands.store.watches.add(mine)
    await hands.engine.wake(pipeline.id)
    return True


async def _below(hands: Hands, caller: Caller, pipeline: Pipeline, place: Place) -> Place:
    """Return the thread of the message on which somebody pressed, where that tells of builds by itself."""
    if not caller.pressed_ts or place.thread_ts is not None or place != caller.place:
        return place
    below = Place(channel_id=place.channel_id, thread_ts=caller.pressed_ts)
    notice = await hands.store.notices.told(caller.person_id, pipeline.id)
    is_told = notice.root_ts == caller.pressed_ts or await hands.finder.told_in(below) is not None
    return below if is_told else place


async def unwatch(hands: Hands, caller: Caller, pipeline: Pipeline) -> Acted:
    """Stop telling this place about it for the caller; other threads go on. Raises NothingToDo where nothing is theirs.

    Whoever has it followed here waits for its end: that is nobody else's to take.
    """
    title = await hands.finder.title(pipeline.project_slug)
    number, lease = pipeline.number, hands.settings.lease
    intent = Intent(Subject.of(pipeline, title), Word.CANCEL, f"unwatch #{number}")
    async with acting(hands, caller, intent) as act:
        place = act.caller.place
        async with hands.store.watches.fence(pipeline.id, lease, wait=lease):
            here = [one for one in await hands.store.watches.of(pipeline.id) if place and one.is_told_in(place)]
            mine = [one for one in here if one.is_of(act.caller.person_id)]
            goes_on = [left for one in mine if (left := await _leave(hands, one, act.caller))]
        if not here and await hands.store.watches.unread(pipeline.id):
            raise Unreadable("Watch")  # it may be the one that is meant
        if not mine:
            raise _not_theirs(pipeline, here)
    return act.done("unwatch", detail="goes on" if goes_on else "")


def _not_theirs(pipeline: Pipeline, here: Sequence[Watch]) -> NothingToDo:
    if not here:
        return NothingToDo("not_followed", number=pipeline.number)
    line = f"unwatch {pipeline.project_slug} #{pipeline.number}"
    return NothingToDo("followed_for_another", number=pipeline.number, person_id=here[0].follower_id, what=line)


async def _leave(hands: Hands, watch: Watch, caller: Caller) -> Watch | None:
    """Let a thread tell somebody no more; returns its watch where it goes on for others."""
    if (left := await hands.store.watches.leave(watch, caller.person_id)) is not None:
        return left
    try:
        await hands.teller.leave(watch, caller.called)
    except SlackError as error:  # who asked is told that it is followed no more all the same
        log.warning("thread_not_told", pipeline=watch.pipeline_id, method=error.method, code=error.code)
    await hands.store.watches.leave_thread(watch)
    return None
