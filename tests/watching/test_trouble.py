"""Looks that come to nothing, for whatever reason: the threads hear of it once, and nothing goes on for ever."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
import structlog
from structlog.testing import capture_logs

from bot.circleci.reads import Reads
from bot.errors import Rejected, Spent, Unavailable
from bot.models.build import Build, Run
from bot.models.caller import Place
from bot.models.circleci import Pipeline, Workflow
from bot.models.slack import utc_now
from bot.settings import Projects, Settings
from bot.store import Store
from bot.store.looks import Over
from bot.watching.engine import Engine
from bot.watching.operator import Operator
from bot.watching.teller import Teller
from bot.watching.trouble import GONE_AFTER, OUTAGE_AFTER
from bot.watching.watcher import Sources, Watcher
from formatters.links import Links
from playground.slack.api import Slack
from playground.slack.conversations import Message
from tests.store.test_watches import PIPELINE, watch

START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
LEASE = timedelta(minutes=1)
SURROGATE = "Fix the \ud83d"


def build(status: str = "running", *, name: str = "build", age: timedelta = timedelta(minutes=1)) -> Build:
    """Return a build of one workflow; its name is put in as it is, whatever a reader would make of it."""
    pipeline = {"id": PIPELINE, "number": 2417, "project_slug": "gh/acme/frontend", "state": "created"}
    ended = {"stopped_at": START} if status in ("success", "failed") else {}
    workflow = Workflow.model_validate({"id": "w", "name": "build", "status": status, "created_at": START, **ended})
    run = Run(workflow=workflow.model_copy(update={"name": name}))
    read = Pipeline.model_validate({**pipeline, "created_at": START})
    return Build(pipeline=read, runs=(run,), read_at=START + age)


class FarSide:
    """A CircleCI that answers what it is made to."""

    def __init__(self) -> None:
        self.answer: Build | Exception = build()
        self.known: list[Build | None] = []

    async def build(self, _: object, known: Build | None = None) -> Build:
        self.known.append(known)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class NoEngine:
    """What was added is of no interest here."""

    async def add(self, *_: object) -> None: ...


class Stage:
    """A watcher over one build that Ada follows in #deploys."""

    def __init__(self, watcher: Watcher, far_side: FarSide, slack: Slack, store: Store) -> None:
        self.watcher, self.far_side, self.slack, self.store = watcher, far_side, slack, store
        self.pauses: list[float] = []

    async def looks(self, answer: Build | Exception, times: int = 1) -> timedelta | None:
        self.far_side.answer = answer
        for _ in range(times):
            await self.store.looks.wake(PIPELINE)
            (one,) = await self.store.looks.take(1, LEASE, busy=LEASE)
            pause = await self.watcher.look(PIPELINE, await self.store.watches.known(PIPELINE))
            await self.store.looks.done([Over(PIPELINE, one.claim, pause)])
            self.pauses.append(pause.total_seconds() if pause is not None else -1)
        return pause

    @property
    def root(self) -> Message:
        return self.slack.workspace.channel("deploys").roots[0]

    @property
    def replies(self) -> list[str]:
        return [one.visible for one in self.root.replies]


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("CIRCLECI_TOKEN", "x")
    return Settings(history_builds=0)


@pytest.fixture
async def stage(settings: Settings, store: Store, slack: Slack, teller: Teller, operator: Operator) -> Stage:
    far_side = FarSide()
    reads = cast("Reads", far_side)
    sources = Sources(reads, reads, (), Projects())
    watcher = Watcher(settings, store, sources, teller, Links(), operator, cast("Engine", NoEngine()))
    await store.watches.add(watch(thread=Place(channel_id=slack.workspace.channel("deploys").id)))
    return Stage(watcher, far_side, slack, store)


@pytest.fixture
def logged() -> Iterator[list[structlog.typing.EventDict]]:
    with capture_logs() as said:
        yield said


@pytest.mark.parametrize("error", [RecursionError("too deep"), ValueError("no such thing"), KeyError("x")], ids=repr)
async def test_what_nobody_expected_is_told_once_and_looked_at_ever_more_rarely(
    stage: Stage, logged: list[structlog.typing.EventDict], error: Exception
) -> None:
    await stage.looks(build())
    await stage.looks(error, OUTAGE_AFTER - 1)
    assert stage.replies == []
    await stage.looks(error, 4)
    (told,) = stage.replies
    assert "something broke on my side" in told
    assert stage.pauses[1:] == [10, 20, 40, 80, 160, 300]
    await stage.looks(build(), 2)
    assert stage.replies[1:] == ["✅ I can follow this build again. What stands above is up to date."]
    assert [one["event"] for one in logged if one["event"].startswith("look_")] == ["look_broke", "look_works_again"]
    assert next(one for one in logged if one["event"] == "look_broke")["exc_info"] is error


async def test_a_root_that_shows_all_is_drawn_anew_when_the_minute_or_its_thread_changes(stage: Stage) -> None:
    minute = timedelta(minutes=1)
    for _ in range(3):
        await stage.looks(build(age=minute))
    ((kept,),) = [await stage.store.watches.of(PIPELINE)]
    assert "1 min so far" in stage.root.visible
    edited = stage.root.edited_ts
    await stage.looks(build(age=1.5 * minute), 2)
    assert stage.root.edited_ts == edited
    await stage.looks(build(age=2 * minute))
    assert "2 min so far" in stage.root.visible
    await stage.store.watches.save(kept, kept.model_copy(update={"acted": "rerun", "actor_name": "grace"}))
    await stage.looks(build(age=2 * minute))
    assert "rerun by grace" in stage.root.visible
    stage.slack.refuse("chat.update", "fatal_error")
    await stage.looks(build(age=3 * minute))
    assert "2 min so far" in stage.root.visible
    await stage.looks(build(age=3 * minute))
    assert "3 min so far" in stage.root.visible


async def test_a_refused_turn_lengthens_no_pause_and_a_long_wait_is_told_once(stage: Stage) -> None:
    spent = Spent(timedelta(seconds=2))
    await stage.looks(build())
    await stage.looks(spent, 8)
    await stage.looks(build())
    assert stage.pauses == [5, *[2] * 8, 5]
    await stage.looks(spent)
    known = await stage.store.watches.last_look(PIPELINE)
    assert known.waits_since is not None
    await stage.store.watches.save_snapshot(
        PIPELINE, known.model_copy(update={"waits_since": known.waits_since - timedelta(minutes=1)})
    )
    await stage.looks(spent, 3)
    assert sum("News will be late" in told for told in stage.replies) == len(stage.replies) == 1
    await stage.looks(build())
    assert (await stage.store.watches.last_look(PIPELINE)).waits_since is None


async def test_a_build_that_cannot_be_written_down_is_followed_to_its_end(stage: Stage) -> None:
    assert "\ud83d" in build(name=SURROGATE).runs[0].workflow.name
    await stage.looks(build(name=SURROGATE), OUTAGE_AFTER + 2)
    assert [told for told in stage.replies if "something broke on my side" in told] == stage.replies
    assert len(stage.replies) == 1
    passed = [build("success", name=SURROGATE, age=timedelta(minutes=age)) for age in (2, 3, 4, 30)]
    for one in passed:
        await stage.looks(one)
    assert sum("Passed in" in told for told in stage.replies) == 1
    assert stage.pauses[-1] == -1


async def test_what_circleci_does_not_know_is_given_up_in_words(stage: Stage) -> None:
    gone = Rejected(404, "Pipeline not found")
    await stage.looks(build())
    await stage.looks(gone, GONE_AFTER - 1)
    await stage.looks(Unavailable("503"))  # which says nothing about it: it is counted anew
    await stage.looks(gone, GONE_AFTER - 1)
    assert len(stage.replies) == 1
    assert "it does not know this pipeline" in stage.replies[0]
    await stage.looks(gone)
    assert "CircleCI does not know it any more" in stage.replies[-1]
    assert "@ci watch gh/acme/frontend #2417" in stage.replies[-1]
    assert "Not followed here any more" in stage.root.visible
    assert await stage.looks(gone) is None
    assert await stage.store.watches.watching() == set()
    assert len(stage.replies) == 2


@pytest.mark.parametrize("error", [Unavailable("503"), RecursionError("too deep")], ids=repr)
async def test_what_cannot_be_read_for_as_long_as_things_are_kept_is_given_up(stage: Stage, error: Exception) -> None:
    await stage.looks(build())
    await stage.looks(error)
    known = await stage.store.watches.last_look(PIPELINE)
    assert known.unread_since is not None
    long_ago = known.model_copy(update={"unread_since": known.unread_since - timedelta(days=31)})
    await stage.store.watches.save_snapshot(PIPELINE, long_ago)
    await stage.looks(error)
    assert "I could not read it for 30 days" in stage.replies[-1]
    assert await stage.looks(error) is None


async def test_a_hold_that_nobody_decides_is_let_go_with_a_word(stage: Stage) -> None:
    await stage.looks(build("on_hold", age=timedelta(days=29)))
    await stage.looks(build("on_hold", age=timedelta(days=31)))
    assert stage.replies == []  # it is asked for since today alone
    await stage.store.watches.remove(watch())
    place = Place(channel_id=stage.slack.workspace.channel("deploys").id)
    old = watch("Ev2", thread=place, asked_at=utc_now() - timedelta(days=31), root_ts=stage.root.ts)
    await stage.store.watches.add(old)
    await stage.looks(build("on_hold", age=timedelta(days=31)))
    (told,) = stage.replies
    assert "nothing has happened in it for 31 days (on hold)" in told
    assert "@ada" in told
    assert await stage.looks(build("on_hold", age=timedelta(days=31))) is None


async def test_the_end_of_a_build_is_told_however_late(stage: Stage) -> None:
    await stage.store.watches.remove(watch())
    place = Place(channel_id=stage.slack.workspace.channel("deploys").id)
    await stage.store.watches.add(watch("Ev2", thread=place, asked_at=utc_now() - timedelta(days=40)))
    for age in (40, 41):  # nobody ran the bot meanwhile
        await stage.looks(build("success", age=timedelta(days=age)))
    assert "Passed in" in stage.replies[0]
