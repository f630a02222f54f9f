"""Builds that nobody typed: found in lists and by webhooks, judged once at their certain end, at few requests."""

import copy
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import cast

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from bot.circleci.reads import Reads, circleci_reads
from bot.circleci.transport import Transport
from bot.circleci.webhooks import Event as Webhook
from bot.errors import Spent
from bot.models import patterns
from bot.models.build import Build, Snapshot, State
from bot.models.circleci import Pipeline, PipelineId, ProjectSlug
from bot.models.notices import About, Notice
from bot.models.slack import utc_now
from bot.models.subscription import Subscription
from bot.settings import Projects, Settings
from bot.store import Store
from bot.tasks import Sweep
from bot.watching import fitting, news
from bot.watching.branches import is_red
from bot.watching.engine import LISTS, NEWS, Engine
from bot.watching.fitting import Fits, known_projects
from bot.watching.inbox import Inbox
from bot.watching.judging import MOST_AGAIN, next_look
from bot.watching.later import Later
from bot.watching.lists import Lists
from bot.watching.news import Newsreader
from bot.watching.operator import Operator
from bot.watching.read_on import PAGES
from bot.watching.triager import final_key
from playground.circleci.api import CircleCI
from playground.circleci.pipelines import Pipeline as Pushed
from playground.circleci.scenarios import JobPlan, Scenario, WorkflowPlan
from playground.circleci.world import World, default_world
from playground.clock import Clock
from tests.store.test_subscriptions import rule
from tests.store.test_watches import watch
from tests.watching.test_schedule import build

SLUG, MAIN, EVERY = ProjectSlug("gh/acme/frontend"), "main", timedelta(minutes=5)
KINDS = ("green", "failing-tests", "setup", "automatic-rerun", "config-error", "superseded", "on-hold", "late-workflow")
SOON, LONG = timedelta(seconds=1), timedelta(hours=3)


class Queue:
    """What was added, and for when."""

    def __init__(self) -> None:
        self.added: list[str] = []

    async def add(self, name: str, *ids: str, when: datetime | None = None) -> None:  # noqa: ARG002  # as the engine's
        assert name in (NEWS, LISTS)
        self.added += ids

    put = add

    async def nothing(self) -> None:
        """Stand for what is told and shown late."""


class Judge:
    """Notes what it is told of a branch, and is late as often as it is made to be, or does something meanwhile."""

    def __init__(self) -> None:
        self.builds: list[Build] = []
        self.waiting: list[list[str]] = []
        self.held: list[int] = []
        self.but: list[set[str]] = []
        self.there: list[tuple[int, str]] = []
        self.late, self.pause = 0, SOON
        self.meanwhile: Callable[[], Awaitable[object]] | None = None

    async def judged(self, build: Build, but: Collection[str] = ()) -> timedelta | None:
        if self.meanwhile is not None:
            await self.meanwhile()
        if self.late:
            self.late -= 1
            return self.pause
        self.builds += [build] if is_red(build) is not None else []
        self.but.append({*but})
        return None

    async def was_there(self, build: Build, marks: Collection[str]) -> timedelta | None:
        self.there += [(build.pipeline.number, mark.partition("@")[0]) for mark in sorted(marks)]
        return None

    async def holds(self, build: Build) -> timedelta | None:
        self.held.append(build.pipeline.number)
        return None

    async def waits(self, build: Build) -> timedelta | None:
        self.waiting.append([job.name for run in build.runs for job in run.holds])
        if self.late:
            self.late -= 1
            return SOON
        return None


class Roots:
    """Keeps in which channels messages about branches end that nobody subscribes to any more."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    async def forsake_unheard(self, channel_id: str, _slug: ProjectSlug, _title: str) -> None:
        self.ended.append(channel_id)


class Own:
    """Tells people of the builds of those who push as one of `people`, and notes it."""

    def __init__(self) -> None:
        self.people: set[str] = set()
        self.read: list[int] = []
        self.told: list[tuple[int, State]] = []
        self.late: timedelta | None = None

    async def are_about(self, pipeline: Pipeline) -> bool:
        return pipeline.actor in self.people

    async def is_read(self, pipeline: Pipeline) -> None:
        self.read.append(pipeline.number)

    async def over(self, build: Build) -> timedelta | None:
        if self.late is None and build.pipeline.actor in self.people:
            self.told.append((build.pipeline.number, build.state))
        return self.late

    async def goes_on(self, build: Build) -> None:
        if build.pipeline.actor in self.people and build.state is State.ON_HOLD:
            await self.over(build)


class Stage:
    """A project with pushes, and what looks at them."""

    def __init__(self, circleci: CircleCI, transport: Transport, store: Store, operator: Operator) -> None:
        token = SecretStr("x")
        self.settings = Settings(
            slack_bot_token=SecretStr("xoxb-1"), circleci_token=token, circleci_webhook_secret=token
        )
        self.circleci, self.store, self.queue, self.judge = circleci, store, Queue(), Judge()
        self.own = Own()
        self.world: World = circleci.world
        self.operator = operator
        reads = circleci_reads(transport)
        self.inbox = Inbox(store, cast("Engine", self.queue), timedelta(0))
        self.news = Newsreader(self.settings, store, reads, self.judge, self.own, operator)
        self.roots = Roots()
        self.lists = Lists(self.settings, store, reads, self.inbox, operator, self.roots)

    async def subscribes(self, number: int = 1, **changes: object) -> Subscription:
        """Let a channel subscribe, and the list be read for the first time."""
        made = rule(number, **{"made_at": utc_now(), **changes})
        await self.store.subscriptions.add(made)
        await self.lists.look(SLUG)
        return made

    async def fits(self) -> None:
        """Look for the projects that patterns mean."""
        await Fits(self.store, self.news._looks, Projects()).refresh()

    def push(
        self, scenario: str | Scenario = "failing-tests", branch: str = MAIN, age: timedelta = LONG, by: str = "push"
    ) -> Pushed:
        """Let somebody push, so long ago."""
        self.world.set_scenario(SLUG, branch, scenario)
        pushed = self.world.trigger(SLUG, branch=branch, parameters={}, by=by)
        self.goes_by(age)
        return pushed

    def goes_by(self, span: timedelta) -> None:
        """Let time go by at CircleCI, which sees what happens meanwhile."""
        for _ in range(10):
            self.world.clock.advance(span / 10)
            self.world.tick()

    async def looks(self) -> list[float | None]:
        """Read the list, and look at each build once whose end is not known; returns the pauses."""
        await self.lists.look(SLUG)
        pauses = [await self.news.look(one) for one in sorted(await self.store.news.open())]
        return [None if one is None else one.total_seconds() for one in pauses]

    def has_ended(self, pushed: Pushed) -> bool:
        """Say whether nothing of it runs."""
        return all(run.stopped_at(self.world.clock.now()) for run in pushed.runs)

    @property
    def told(self) -> list[tuple[int, State]]:
        """The builds that were judged, by number, and how they ended."""
        return [(one.pipeline.number, one.outcome) for one in self.judge.builds]

    @property
    def asked(self) -> list[str]:
        """What CircleCI was asked since the last time."""
        asked = [seen.path.partition("/api/v2/")[2] for seen in self.circleci.requests]
        self.circleci.requests.clear()
        return asked


def reaching(circleci: CircleCI) -> Transport:
    return Transport(circleci.url, SecretStr(circleci.token))


@pytest.fixture
async def stage(store: Store, operator: Operator) -> AsyncIterator[Stage]:
    async with CircleCI(default_world(Clock())) as circleci, reaching(circleci) as transport:
        yield Stage(circleci, transport, store, operator)


async def test_what_ends_after_somebody_subscribed_is_judged_once(stage: Stage) -> None:
    before = stage.push()
    await stage.subscribes()
    assert await stage.looks() == [None]
    assert stage.told == []  # it was over
    pushed, passed = stage.push(), stage.push("green")
    for _ in range(3):
        await stage.looks()
    assert sorted(stage.told) == [(pushed.number, State.FAILED), (passed.number, State.PASSED)]
    assert before.number not in dict(stage.told)
    assert any(run.failed_jobs for run in next(one for one in stage.judge.builds if one.outcome is State.FAILED).runs)


async def test_what_had_ended_is_no_news_however_often_the_list_is_read(stage: Stage) -> None:
    stage.push(age=timedelta(minutes=2))
    stage.push("green", age=LONG)
    await stage.subscribes()
    for _ in range(3):
        await stage.looks()
    assert stage.told == []


async def test_what_runs_when_somebody_subscribes_is_news_at_its_end(stage: Stage) -> None:
    running = stage.push(age=SOON)
    await stage.subscribes()
    (pause,) = await stage.looks()
    assert pause == 60
    stage.goes_by(LONG)
    await stage.looks()
    assert stage.told == [(running.number, State.FAILED)]


async def test_of_two_that_run_then_both_are(stage: Stage) -> None:
    older, newer = stage.push(age=SOON), stage.push("green", age=SOON)
    await stage.subscribes()
    await stage.looks()
    stage.goes_by(LONG)
    await stage.looks()
    assert sorted(stage.told) == [(older.number, State.FAILED), (newer.number, State.PASSED)]


async def test_what_ended_meanwhile_is_told_in_order_whoever_looks_first(stage: Stage) -> None:
    await stage.subscribes(branches=("*",))
    pushed = [stage.push(chance, branch) for chance in ("failing-tests", "green") for branch in (MAIN, "dev", MAIN)]
    await stage.lists.look(SLUG)
    for _ in range(len(pushed)):
        for one in sorted(pushed, key=lambda one: -one.number):
            if one.id in await stage.store.news.open():
                await stage.news.look(PipelineId(one.id))
    for branch in (MAIN, "dev"):
        found = [one.pipeline.number for one in stage.judge.builds if str(one.pipeline.ref) == branch]
        assert found == [one.number for one in pushed if one.branch == branch]


async def test_one_that_cannot_be_read_holds_up_no_other(stage: Stage) -> None:
    await stage.subscribes()
    gone, pushed = stage.push("green"), stage.push("green")
    await stage.lists.look(SLUG)
    stage.world.pipelines.remove(gone)
    assert await stage.news.look(PipelineId(pushed.id)) == stage.settings.pace
    await stage.news.look(PipelineId(gone.id))
    await stage.news.look(PipelineId(pushed.id))
    assert stage.told == [(pushed.number, State.PASSED)]


HOLD = WorkflowPlan("release", (JobPlan("hold", approval=True), JobPlan("deploy", requires=("hold",))))
RED_BESIDE_HOLD = Scenario((WorkflowPlan("test", (JobPlan("test", seconds=40, ends="failed"),)), HOLD))


async def test_what_failed_beside_one_on_hold_is_judged_once_when_it_has_settled(stage: Stage) -> None:
    await stage.subscribes()
    pushed = stage.push(RED_BESIDE_HOLD, age=timedelta(seconds=20))
    await stage.looks()
    assert stage.told == []
    while [run.status(stage.world.clock.now()) for run in pushed.runs] != ["failed", "on_hold"]:
        stage.goes_by(SOON)
    (pause,) = await stage.looks()
    assert stage.told == []
    assert pause == pytest.approx(stage.settings.settle.total_seconds(), abs=2)
    stage.goes_by(timedelta(minutes=1))
    for _ in range(3):
        await stage.looks()
    assert [(one.pipeline.number, one.state, is_red(one)) for one in stage.judge.builds] == [
        (pushed.number, State.ON_HOLD, True)
    ]
    assert stage.judge.builds[0].runs[0].failed_jobs or stage.judge.builds[0].runs[1].failed_jobs
    held = next(run for run in pushed.runs if run.plan.name == "release")
    stage.world.approve(held.id, held.job_ids["hold"])
    stage.goes_by(LONG)
    for _ in range(3):
        await stage.looks()
    assert [one.state for one in stage.judge.builds] == [State.ON_HOLD, State.FAILED]  # what was deployed may be news
    assert stage.judge.waiting == []


async def test_what_waits_is_told_where_somebody_wants_to_hear_and_once_more_when_it_does_not(stage: Stage) -> None:
    await stage.subscribes(events=("waiting",))
    stage.push("green", age=timedelta(seconds=5))
    await stage.looks()
    assert stage.judge.waiting == []
    pushed = stage.push("on-hold", age=timedelta(minutes=30))
    stage.judge.late = 1
    assert stage.judge.held == []
    assert SOON.total_seconds() in await stage.looks()
    await stage.looks()
    (held,) = [run for run in pushed.runs if run.status(stage.world.clock.now()) == "on_hold"]
    (name,) = stage.judge.waiting[-1]
    stage.world.approve(held.id, held.job_ids[name])
    stage.goes_by(timedelta(seconds=2))
    await stage.looks()
    assert stage.judge.waiting[-3:] == [[name], [name], []]
    assert stage.judge.held == [pushed.number] * 2
    stage.goes_by(LONG)
    await stage.looks()
    assert len(stage.judge.waiting) == 3


async def test_a_second_subscriber_hears_of_what_runs_on_a_branch_of_its_own(stage: Stage) -> None:
    await stage.subscribes()
    running = stage.push("green", "release/v2.0", SOON)
    for _ in range(3):
        stage.push("green", "fix/login", SOON)
    await stage.lists.look(SLUG)
    await stage.subscribes(2, branches=("release/*",))
    await stage.looks()  # at once
    stage.goes_by(LONG)
    await stage.looks()
    assert stage.told == [(running.number, State.PASSED)]


async def test_what_ends_while_nobody_subscribes_is_none_for_who_subscribes_anew_with_the_same_line(
    stage: Stage,
) -> None:
    made = await stage.subscribes()
    stage.push(age=SOON)
    await stage.looks()
    await stage.store.subscriptions.remove(made)
    stage.goes_by(LONG)
    stage.push("green")
    await stage.subscribes(made_at=utc_now())
    await stage.looks()
    assert stage.told == []
    later = stage.push("green")
    await stage.looks()
    assert [number for number, _ in stage.told] == [later.number]


async def test_what_breaks_while_the_first_list_cannot_be_read_is_news(stage: Stage) -> None:
    stage.circleci.faults.add("GET", "/api/v2/project/*/pipeline", status=404, times=1)
    made = await stage.subscribes(made_at=utc_now() - 2 * LONG)
    before, pushed = stage.push(age=4 * LONG), stage.push("green")
    await stage.looks()
    assert [one.pipeline.number for one in stage.judge.builds] == [pushed.number]
    assert stage.judge.there == [(before.number, made.id)]


@pytest.mark.parametrize("is_over", [True, False])
async def test_what_another_is_told_of_anyway_is_told_whoever_subscribes_meanwhile(stage: Stage, is_over: bool) -> None:
    """An end that is about to be told to who pushed it, and to one channel, is none for the other channel alone."""
    await wants_own(stage)
    stage.own.people = {"ken"}
    first = await stage.subscribes(1)
    pushed = stage.push("slow", by="ken", age=SOON)
    await stage.looks()
    if is_over:
        stage.goes_by(LONG)
    second = await stage.subscribes(2, channel_id="C0OTHER")
    if not is_over:
        await stage.looks()
        stage.goes_by(LONG)
    await stage.looks()
    (but,) = stage.judge.but
    assert but == ({second.mark} if is_over else set())
    assert first.mark not in but
    assert stage.judge.there == ([(pushed.number, second.id)] if is_over else [])
    assert stage.own.told == [(pushed.number, State.PASSED)]


async def test_a_rerun_of_what_was_over_when_a_channel_subscribed_is_news(stage: Stage) -> None:
    await stage.subscribes(1)
    pushed = stage.push()
    await stage.looks()
    second = await stage.subscribes(2, channel_id="C0OTHER")
    await stage.looks()
    assert stage.judge.there == [(pushed.number, second.id)]
    assert len(stage.told) == 1  # the first channel has heard it
    for run in list(pushed.runs):
        stage.world.rerun(run.id)
    stage.goes_by(LONG)
    await stage.inbox.heard(webhook(pushed), PipelineId(pushed.id))
    await stage.looks()
    assert (len(stage.told), stage.judge.but[1:]) == (2, [set()])


async def test_what_had_failed_beside_a_hold_when_somebody_subscribed_is_no_news(stage: Stage) -> None:
    held = stage.push(RED_BESIDE_HOLD)
    made = await stage.subscribes()
    for _ in range(3):
        await stage.looks()
    assert stage.told == []
    assert stage.judge.there == [(held.number, made.id)]


async def test_who_subscribed_when_ids_alone_were_kept_goes_on_hearing(stage: Stage) -> None:
    made = await stage.subscribes()
    known = await stage.store.news.read_up_to(SLUG)
    await stage.store.news.save_read(SLUG, known.model_copy(update={"rules": frozenset({made.id})}))
    pushed = stage.push("green")
    await stage.looks()
    assert (stage.told, stage.judge.there) == ([(pushed.number, State.PASSED)], [])


async def test_a_second_subscriber_hears_nothing_that_was_over_before(stage: Stage) -> None:
    await stage.subscribes()
    stage.push("green", "release/v2.0")
    await stage.subscribes(2, branches=("release/*",))
    await stage.looks()
    assert stage.told == []


async def test_of_a_list_only_what_a_rule_is_about_is_read_further(stage: Stage) -> None:
    await stage.subscribes(branches=("release/*", "!release/v1*"))
    stage.push("green", "fix/login")
    stage.push("green", "main")
    _ = stage.asked
    await stage.looks()
    assert stage.asked == [f"project/{SLUG}/pipeline"]
    wanted = stage.push("green", "release/v2.0")
    _ = stage.asked
    await stage.looks()
    assert stage.asked == [f"project/{SLUG}/pipeline", f"pipeline/{wanted.id}/workflow"]
    assert stage.told == [(wanted.number, State.PASSED)]


async def test_a_tag_is_read_where_a_rule_is_about_it(stage: Stage) -> None:
    await stage.subscribes(branches=("tag:v*",))
    tag = next(iter(stage.world.projects[SLUG].tags))
    built = stage.world.trigger(SLUG, tag=tag, parameters={})
    stage.push("green")
    stage.goes_by(LONG)
    await stage.looks()
    assert [number for number, _ in stage.told] == [built.number]


async def test_a_tag_is_no_branch(stage: Stage) -> None:
    await stage.subscribes(branches=("*",))
    stage.world.trigger(SLUG, tag=next(iter(stage.world.projects[SLUG].tags)), parameters={})
    stage.goes_by(LONG)
    assert await stage.looks() == []


@pytest.mark.parametrize(
    ("scenario", "outcome"),
    [
        ("green", State.PASSED),
        ("failing-tests", State.FAILED),
        ("config-error", State.COULD_NOT_RUN),
        ("continuation-error", State.COULD_NOT_RUN),
        ("setup", State.PASSED),
        ("late-workflow", State.PASSED),
        ("automatic-rerun", State.PASSED),
        ("superseded", None),
        ("no-workflow", None),
        ("on-hold", None),
    ],
)
async def test_only_a_certain_end_is_judged_whenever_it_is_looked_at(
    stage: Stage, scenario: str, outcome: State | None
) -> None:
    await stage.subscribes()
    pushed = stage.push(scenario, age=SOON)
    for seconds in [5] * 14 + [60] * 6:
        await stage.looks()
        stage.goes_by(timedelta(seconds=seconds))
    found = [one for one in stage.told if one[0] == pushed.number]
    assert found == ([(pushed.number, outcome)] if outcome else [])


async def test_a_rerun_is_judged_too_and_what_fails_is_looked_at_for_one(stage: Stage) -> None:
    await stage.subscribes()
    pushed = stage.push()
    (pause,) = await stage.looks()
    assert pause == EVERY.total_seconds()
    assert await stage.looks() == [2 * EVERY.total_seconds()]
    for run in list(pushed.runs):
        stage.world.rerun(run.id)
    (pause,) = await stage.looks()
    assert pause is not None
    stage.goes_by(LONG)
    await stage.looks()
    assert [number for number, _ in stage.told] == [pushed.number, pushed.number]
    assert stage.told[0] == (pushed.number, State.FAILED)


async def test_what_fails_is_looked_at_again_so_often_and_only_while_it_is_the_newest(stage: Stage) -> None:
    await stage.subscribes()
    stage.push()
    pauses = [(await stage.looks())[0] for _ in range(MOST_AGAIN + 1)]
    assert pauses == [EVERY.total_seconds() * 2**again for again in range(MOST_AGAIN)] + [None]
    assert await stage.store.news.open() == set()
    older, _ = stage.push(), stage.push("green")
    await stage.looks()
    await stage.looks()
    assert older.id not in await stage.store.news.open()


async def test_who_cannot_be_told_of_their_build_keeps_it_from_no_channel(stage: Stage) -> None:
    """It is read on when that is due, or a webhook comes, and not for each time that they are tried."""
    await wants_own(stage)
    stage.own.people = {"ken"}
    await stage.subscribes()
    pushed = stage.push("failing-tests", by="ken")
    stage.own.late = timedelta(minutes=1)
    assert await stage.looks() == [pytest.approx(60, abs=1)]
    assert (stage.told, stage.own.told) == ([(pushed.number, State.FAILED)], [])
    _ = stage.asked
    assert await stage.looks() == [pytest.approx(60, abs=1)]
    assert stage.asked == [f"project/{SLUG}/pipeline"]
    for run in list(pushed.runs):
        stage.world.rerun(run.id)
    stage.goes_by(LONG)
    await stage.inbox.heard(webhook(pushed), PipelineId(pushed.id))
    await stage.looks()
    assert [number for number, _ in stage.told] == [pushed.number] * 2
    stage.own.late = None
    await stage.looks()
    assert [number for number, _ in stage.own.told] == [pushed.number]
    assert (await stage.store.news.get(PipelineId(pushed.id))).unsaid is None


@pytest.mark.parametrize(("pause", "told"), [(SOON, 0), (timedelta(minutes=1), 1), (timedelta(hours=1), 1)])
async def test_who_pushed_a_build_does_not_wait_for_a_channel_that_takes_nothing(
    stage: Stage, pause: timedelta, told: int
) -> None:
    await wants_own(stage)
    stage.own.people = {"ken"}
    await stage.subscribes()
    stage.judge.late, stage.judge.pause = 1, pause
    pushed = stage.push("green", by="ken")
    assert await stage.looks() == [pause.total_seconds()]
    assert stage.own.told == [(pushed.number, State.PASSED)] * told


async def test_what_could_not_be_told_is_told_later(stage: Stage) -> None:
    await stage.subscribes()
    pushed = stage.push("green")
    stage.judge.late = 2
    assert await stage.looks() == [1.0]
    assert await stage.store.news.newest_judged(SLUG, MAIN) == pushed.number  # a newer one may be told before it
    _ = stage.asked
    assert [await stage.looks() for _ in range(3)] == [[1.0], [None], []]
    assert stage.asked == [f"project/{SLUG}/pipeline"] * 3  # it is not read again
    assert stage.told == [(pushed.number, State.PASSED)]


def webhook(pushed: Pushed, branch: str = MAIN, kind: str = "workflow-completed") -> Webhook:
    about = {"pipeline": {"id": pushed.id, "vcs": {"branch": branch}}, "project": {"slug": "github/acme/frontend"}}
    return Webhook.model_validate({"id": "e", "type": kind, "happened_at": datetime.now(UTC), **about})


async def test_a_webhook_tells_of_an_end_before_the_list_does_and_is_not_believed(stage: Stage) -> None:
    await stage.subscribes()
    pushed, running = stage.push("green"), stage.push("slow", age=SOON)
    for one in (pushed, running):
        assert await stage.inbox.heard(webhook(one), PipelineId(one.id))
    _ = stage.asked
    pauses = [await stage.news.look(PipelineId(one.id)) for one in (pushed, running)]
    assert stage.told == [(pushed.number, State.PASSED)]
    assert pauses[0] is None
    assert pauses[1] is not None
    assert len(stage.asked) == 4
    assert await stage.inbox.heard(webhook(pushed), PipelineId(pushed.id))
    await stage.looks()
    assert len(stage.told) == 1


async def test_a_webhook_of_what_nobody_wants_to_hear_asks_circleci_for_nothing(stage: Stage) -> None:
    await stage.subscribes()
    pushed = stage.push("green", "fix/login")
    assert not await stage.inbox.heard(webhook(pushed, "fix/login"), PipelineId(pushed.id))
    assert not await stage.inbox.heard(webhook(pushed, kind="job-completed"), PipelineId(pushed.id))
    assert await stage.inbox.heard(webhook(pushed, branch=""), PipelineId(pushed.id))  # it may be
    assert await stage.news.look(PipelineId(pushed.id)) is None
    assert stage.told == []
    await stage.store.subscriptions.remove((await stage.store.subscriptions.all())[0])
    assert not await stage.inbox.heard(webhook(pushed), PipelineId(pushed.id))


async def test_while_webhooks_come_lists_are_read_less_often_until_one_is_missed(stage: Stage) -> None:
    await stage.subscribes()
    await stage.store.hooks.heard(["github/acme/frontend"], stage.world.clock.now())
    assert await stage.lists.look(SLUG) == 3 * EVERY
    stage.push("green")
    await stage.looks()
    assert await stage.lists.look(SLUG) == EVERY


async def wants_own(stage: Stage) -> None:
    """Let Ada want to be told of her own builds."""
    notice = Notice(person_id="U0ADA", channel_id="D0ADA", about=(About.ENDED,), since=utc_now())
    await stage.store.notices.put(notice)
    stage.own.people = {"octo-ada"}


async def test_of_a_list_what_somebody_pushed_is_looked_at_and_what_others_did_is_forgotten(stage: Stage) -> None:
    await stage.subscribes()
    stage.push("green", "try/ada", by="octo-ada")
    await stage.looks()
    assert not stage.own.told  # nobody wants to be told of their own
    await wants_own(stage)
    mine = stage.push("green", "try/ada", by="octo-ada")
    stage.push("green", "try/ken", by="octo-ken")
    held = stage.push("on-hold", "try/held", by="octo-ada")
    main = stage.push("green", by="octo-ada")
    _ = stage.asked
    await stage.looks()
    assert {one[0] for one in stage.own.told} == {mine.number, held.number, main.number}
    assert (main.number, State.PASSED) in stage.told
    assert sorted(stage.asked) == sorted(
        ["project/gh/acme/frontend/pipeline", *(f"pipeline/{one.id}/workflow" for one in (mine, held, main))]
    )


async def test_what_had_ended_before_its_project_was_heard_of_is_no_news_to_whose_it_is(stage: Stage) -> None:
    """However long they have wanted to hear; what runs then is, and what runs again."""
    await wants_own(stage)
    over, running = stage.push(by="octo-ada"), stage.push("green", age=SOON, by="octo-ada")
    await stage.subscribes()
    await stage.looks()
    assert stage.own.told == []
    stage.goes_by(LONG)
    await stage.looks()
    assert stage.own.told == [(running.number, State.PASSED)]
    for run in list(over.runs):
        stage.world.rerun(run.id)
    stage.goes_by(LONG)
    await stage.inbox.heard(webhook(over), PipelineId(over.id))
    await stage.looks()
    assert stage.own.told[1:] == [(over.number, State.PASSED)]


@pytest.mark.parametrize("how", ["at once", "after others had ended theirs"])
async def test_what_had_ended_before_the_first_list_is_so_too_for_whoever_subscribes_next(
    stage: Stage, how: str
) -> None:
    await wants_own(stage)
    if how != "at once":
        await stage.store.subscriptions.remove(await stage.subscribes(3))
        await was_read(stage, heard_since=utc_now() - 9 * LONG, asked_at=utc_now() - LONG)
    over, running = stage.push(branch="try/over", by="octo-ada"), stage.push("green", age=SOON, by="octo-ada")
    await stage.subscribes()
    await stage.subscribes(2, branches=("*",))
    await stage.looks()
    assert over.number not in [number for number, _ in stage.own.told]
    stage.goes_by(LONG)
    await stage.looks()
    assert stage.own.told == [(running.number, State.PASSED)]


async def was_read(stage: Stage, **changes: object) -> None:
    """Let what is known of the list be so."""
    known = await stage.store.news.read_up_to(SLUG)
    await stage.store.news.save_read(SLUG, known.model_copy(update=changes))


async def test_what_ends_in_a_project_that_is_heard_of_is_news_to_whose_it_is_whoever_subscribes(stage: Stage) -> None:
    await stage.subscribes()
    await was_read(stage, heard_since=utc_now() - 2 * LONG)
    await wants_own(stage)
    pushed = stage.push("green", "try/ada", by="octo-ada")
    await stage.subscribes(2, branches=("try/*",))
    await stage.looks()
    assert (stage.told, stage.own.told) == ([], [(pushed.number, State.PASSED)])


@pytest.mark.parametrize(("hours", "told"), [(0, 1), (3, 0)])
async def test_who_ends_a_subscription_and_makes_another_takes_nothing_from_whose_it_is(
    stage: Stage, hours: int, told: int
) -> None:
    """Unless nobody subscribed for a while."""
    await wants_own(stage)
    made = await stage.subscribes()
    stage.push("green", by="octo-ada")
    await stage.store.subscriptions.remove(made)
    await was_read(stage, heard_since=utc_now() - 2 * LONG, asked_at=utc_now() - timedelta(hours=hours))
    await stage.subscribes(2)
    await stage.looks()
    assert (len(stage.told), len(stage.own.told)) == (0, told)


@pytest.mark.parametrize("others", [5, 25])
async def test_what_runs_behind_a_page_of_others_is_news_at_its_end_too(stage: Stage, others: int) -> None:
    """Also to who subscribes beside others."""
    await stage.subscribes(branches=("dev",))
    main, odd = stage.push(age=SOON), stage.push(branch="try/odd", age=SOON)
    for number in range(others):
        stage.push("green", f"fix/{number}", age=timedelta(0))
    await stage.lists.look(SLUG)
    first, second = await stage.subscribes(2, channel_id="C2"), await stage.subscribes(3, branches=("try/*", "dev"))
    await stage.looks()
    stage.goes_by(LONG)
    await stage.looks()
    assert sorted(stage.told) == [(main.number, State.FAILED), (odd.number, State.FAILED)]
    assert stage.judge.there == []
    assert not any(one.mark in but for one in (first, second) for but in stage.judge.but)


async def test_a_list_that_reaches_back_for_a_day_is_read_no_further(stage: Stage) -> None:
    for number in range(25):
        stage.push("green", f"fix/{number}", age=2 * LONG)
    _ = stage.asked
    await stage.subscribes()
    assert [one for one in stage.asked if "pipeline" in one] == [f"project/{SLUG}/pipeline"]


async def test_a_build_that_was_cancelled_is_an_end_for_who_pushed_it_and_no_news_for_channels(stage: Stage) -> None:
    await stage.subscribes()
    await wants_own(stage)
    pushed = stage.push("slow", by="octo-ada", age=SOON)
    stage.goes_by(timedelta(seconds=10))
    for run in pushed.runs:
        stage.world.cancel(run.id, by="octo-ada")
    stage.goes_by(LONG)
    await stage.looks()
    assert (stage.told, stage.own.told) == ([], [(pushed.number, State.CANCELED)])


async def test_a_webhook_of_a_project_without_subscribers_costs_one_request_where_it_is_nobodys(stage: Stage) -> None:
    mine, other = stage.push("green", "try/ada", by="octo-ada"), stage.push("green", "try/ken", by="octo-ken")
    for one in (mine, other):
        assert not await stage.inbox.heard(webhook(one), PipelineId(one.id))
    await wants_own(stage)
    _ = stage.asked
    for one in (mine, other):
        assert await stage.inbox.heard(webhook(one, branch=f"try/{one.id}"), PipelineId(one.id))
        await stage.news.look(PipelineId(one.id))
    assert stage.own.told == [(mine.number, State.PASSED)]
    assert stage.asked.count(f"pipeline/{other.id}") == 1
    assert f"pipeline/{other.id}/workflow" not in stage.asked


async def test_a_build_that_a_thread_follows_is_read_once(stage: Stage) -> None:
    await stage.subscribes()
    pushed = stage.push()
    whole = await stage.news._looks.build(PipelineId(pushed.id))
    running = build(["running"])
    await stage.store.watches.add(watch(pipeline_id=pushed.id))
    await stage.lists.look(SLUG)
    for seen in (running.model_copy(update={"pipeline": whole.pipeline}), whole):
        await stage.store.watches.save_snapshot(PipelineId(pushed.id), Snapshot(build=seen))
        if seen is whole:
            (one,) = await stage.store.watches.of(PipelineId(pushed.id))
            await stage.store.watches.save(one, one.model_copy(update={"told": (*one.told, final_key(whole))}))
            await stage.inbox.ended(whole)
        _ = stage.asked
        await stage.news.look(PipelineId(pushed.id))
        assert stage.asked == []
    assert stage.told == [(pushed.number, State.FAILED)]
    stage.queue.added.clear()
    await stage.inbox.ended(whole)
    assert stage.queue.added == []


async def test_what_threads_follow_and_waits_is_looked_at_for_its_people_without_a_request(stage: Stage) -> None:
    pushed = stage.push("on-hold", "hold/prod", by="octo-ada")
    whole = await stage.news._looks.build(PipelineId(pushed.id))
    await stage.store.watches.add(watch(pipeline_id=pushed.id))
    await stage.store.watches.save_snapshot(PipelineId(pushed.id), Snapshot(build=whole))
    await stage.inbox.goes_on(whole)
    assert stage.queue.added == []
    await wants_own(stage)
    for _ in range(2):
        await stage.inbox.goes_on(whole)
    assert stage.queue.added == [pushed.id]
    _ = stage.asked
    assert await stage.news.look(PipelineId(pushed.id))
    assert (stage.own.told, stage.asked) == ([(pushed.number, State.ON_HOLD)], [])
    stage.queue.added.clear()
    running = build(["running"]).model_copy(update={"pipeline": whole.pipeline})
    for _ in range(2):
        await stage.inbox.goes_on(running)
    assert stage.queue.added == [pushed.id]  # so that nobody reads for an hour that it waits


async def test_more_than_a_page_is_read_on_and_what_is_too_much_is_said(stage: Stage) -> None:
    first = stage.push("green")
    await stage.subscribes()
    await stage.looks()
    pushed = [stage.world.trigger(SLUG, branch=MAIN, parameters={}, by="push") for _ in range(70)]
    await stage.lists.look(SLUG)
    assert await stage.store.news.open() == {one.id for one in pushed}
    state = await stage.store.news.read_up_to(SLUG)
    assert state.newest == first.number + 70
    stage.circleci.page_size = 2
    await stage.store.news.save_read(SLUG, state.model_copy(update={"newest": first.number}))
    with capture_logs() as said:
        await stage.lists.look(SLUG)
    skipped = [one["builds"] for one in said if one["event"] == "news_skipped"]
    assert skipped == [70 - 2 * PAGES[-1]]
    assert (await stage.store.news.read_up_to(SLUG)).skipped == first.number + skipped[0] + 1


async def test_another_default_branch_is_followed(stage: Stage) -> None:
    made = await stage.subscribes()
    stage.world.projects[SLUG].default_branch = "release/v2.0"
    state = await stage.store.news.read_up_to(SLUG)
    await stage.store.news.save_read(SLUG, state.model_copy(update={"asked_at": utc_now() - timedelta(hours=2)}))
    pushed = stage.push("green", "release/v2.0")
    await stage.looks()
    assert stage.told == [(pushed.number, State.PASSED)]
    kept = await stage.store.subscriptions.get(made.id)
    assert kept is not None
    # It is looked for each hour: a run may have died between its name and the messages about the one before.
    assert (kept.default_branch, stage.roots.ended) == ("release/v2.0", ["C0WEB", "C0WEB"])


async def test_a_project_that_is_renamed_is_read_on_under_its_new_name(stage: Stage) -> None:
    made, web = await stage.subscribes(), ProjectSlug("gh/acme/web")
    await stage.subscribes(2, branches=("release/*",))
    await stage.store.subscriptions.know("C0WEB", SLUG, MAIN, lambda state: state.model_copy(update={"number": 7}))
    stage.world.projects[web] = stage.world.projects.pop(SLUG)
    stage.world.projects[web].slug = web
    stage.circleci.moved[SLUG] = web
    pushed = stage.world.trigger(web, branch=MAIN, parameters={}, by="push")
    stage.goes_by(LONG)
    assert await stage.lists.look(SLUG) is None
    assert await stage.lists.look(web) == EVERY
    assert await stage.news.look(PipelineId(pushed.id)) is None
    assert stage.told == [(pushed.number, State.PASSED)]
    kept = await stage.store.subscriptions.of_project(web)
    assert [one.id for one in kept] == [made.id, "s2"]
    assert {one.project_slug for one in kept} == {web}
    assert await stage.store.subscriptions.of_project(SLUG) == []
    state = await stage.store.subscriptions.known("C0WEB", web, MAIN)
    assert state is not None
    assert state.number == 7


async def test_a_project_that_is_not_seen_any_more_is_asked_for_ever_more_rarely(stage: Stage) -> None:
    await stage.subscribes()
    project = stage.world.projects.pop(SLUG)
    pauses = [await stage.lists.look(SLUG) for _ in range(6)]
    assert pauses == [EVERY * times for times in (1, 2, 4, 8, 12, 12)]
    stage.world.projects[SLUG] = project
    assert await stage.lists.look(SLUG) == EVERY


async def test_a_list_that_gets_no_turn_keeps_its_place_until_it_was_read(stage: Stage) -> None:
    class Busy:
        """A CircleCI at which others have each turn for a while."""

        refusals = 2

        async def pipelines(self, slug: ProjectSlug, *, pages: int) -> Sequence[Pipeline]:
            if self.refusals:
                self.refusals -= 1
                raise Spent(timedelta(seconds=3))
            return await reads.pipelines(slug, pages=pages)

    await stage.subscribes()
    reads, stage.lists._looks = stage.lists._looks, cast("Reads", Busy())
    waits = list[datetime | None]()
    for _ in range(3):
        await stage.lists.look(SLUG)
        waits.append((await stage.store.news.read_up_to(SLUG)).waits_since)
    assert waits[0] is not None
    assert waits == [waits[0], waits[0], None]


async def test_a_build_that_is_gone_is_given_up(stage: Stage) -> None:
    await stage.subscribes()
    pipeline = {"id": "gone", "number": 2416, "project_slug": SLUG, "created_at": stage.world.clock.now()}
    vcs = {"branch": MAIN}
    await stage.inbox.listed(Pipeline.model_validate({**pipeline, "vcs": vcs}))
    pauses = [await stage.news.look(PipelineId("gone")) for _ in range(news.GONE_AFTER)]
    assert pauses[0] == timedelta(minutes=1)
    assert pauses[-1] is None
    assert await stage.store.news.open() == set()


async def test_nobody_is_asked_where_nobody_subscribes(stage: Stage) -> None:
    made = await stage.subscribes()
    await stage.store.subscriptions.remove(made)
    _ = stage.asked
    assert await stage.lists.look(SLUG) is None
    assert stage.asked == []
    stage.push()
    await stage.subscribes(2)
    await stage.looks()
    assert stage.told == []  # what came meanwhile is no news


async def test_what_was_lost_on_its_way_is_swept_up(stage: Stage) -> None:
    await stage.subscribes()
    pushed = stage.push("green")
    await stage.lists.look(SLUG)
    stage.queue.added.clear()
    reads = cast("Reads", None)
    fits = Fits(stage.store, reads, Projects())
    later, engine = cast("Later", None), cast("Engine", stage.queue)
    await Sweep(stage.store, engine, stage.operator, reads, fits, later, stage.queue.nothing)._give_news()
    assert stage.queue.added == [SLUG, pushed.id]


async def test_a_webhook_that_comes_during_a_look_is_followed_by_one(stage: Stage) -> None:
    await stage.subscribes()
    pushed = stage.push("green")
    await stage.lists.look(SLUG)
    stage.judge.meanwhile = partial(stage.inbox.heard, webhook(pushed), PipelineId(pushed.id))
    assert await stage.news.look(PipelineId(pushed.id)) == stage.settings.settle
    assert pushed.id in await stage.store.news.open()
    assert await stage.news.look(PipelineId(pushed.id)) is None
    assert stage.told == [(pushed.number, State.PASSED)]


@pytest.mark.parametrize("seed", range(3, 6))
async def test_whatever_happens_each_end_is_judged_once_and_none_is_missed(stage: Stage, seed: int) -> None:
    chance = Random(seed)  # no secret
    await stage.subscribes(branches=("main", "release/*"))
    for _ in range(45):
        match chance.choice(("push", "push", "time", "list", "look", "webhook", "rerun")):
            case "push":
                stage.push(chance.choice(KINDS), chance.choice(("main", "release/v2.0", "fix/login")), SOON)
            case "time":
                stage.goes_by(timedelta(seconds=chance.randrange(1, 900)))
            case "list":
                await stage.lists.look(SLUG)
            case "look":
                for one in sorted(await stage.store.news.open()):
                    await stage.news.look(one)
            case "webhook" if stage.world.pipelines:
                pushed = chance.choice(stage.world.pipelines)
                await stage.inbox.heard(webhook(pushed, pushed.branch or ""), PipelineId(pushed.id))
            case "rerun" if ended := [one for one in stage.world.pipelines if stage.has_ended(one) and one.runs]:
                pushed = chance.choice(ended)
                stage.world.rerun(pushed.runs[-1].id)
                await stage.inbox.heard(webhook(pushed, pushed.branch or ""), PipelineId(pushed.id))
    stage.goes_by(LONG)
    for _ in range(MOST_AGAIN + 4):
        await stage.looks()
    judged = [(one.pipeline.number, one.fingerprint) for one in stage.judge.builds]
    assert len(set(judged)) == len(judged)
    ends = {one.number: await stage.news._looks.build(PipelineId(one.id)) for one in stage.world.pipelines}
    wanted = {number for number, end in ends.items() if end.pipeline.ref and end.pipeline.ref.name != "fix/login"}
    assert {number for number, _ in judged} <= wanted
    missed = {number for number in wanted if is_red(ends[number]) is not None} - {number for number, _ in judged}
    assert missed == set()
    last = dict(judged)
    assert all(last[number] == ends[number].fingerprint for number in last if is_red(ends[number]) is not None)


@pytest.mark.parametrize(
    ("minutes", "is_told", "pause"), [(1, False, 1), (9, False, 3), (40, False, 5), (40, True, 15), (400, False, 60)]
)
def test_what_takes_long_is_looked_at_less_often(minutes: int, is_told: bool, pause: float) -> None:
    one = build(["on_hold" if minutes > 60 else "running"])
    read_at = one.pipeline.created_at + timedelta(minutes=minutes)
    found = next_look(one.model_copy(update={"read_at": read_at}), EVERY, is_told=is_told)
    assert found == timedelta(minutes=pause) or minutes > 60
    assert found <= timedelta(hours=1)


async def test_the_builds_of_each_project_that_fits_are_news_under_its_own_default_branch(stage: Stage) -> None:
    made = await stage.subscribes(pattern="gh/acme/*", project_slug="gh/acme/*", left_out=("acme/cli",))
    assert await stage.looks() == []  # nothing is known to fit
    await stage.fits()
    assert sorted(await stage.store.subscriptions.projects()) == ["gh/acme/backend", SLUG, "gh/acme/legacy"]
    stage.world.projects[SLUG].default_branch = "trunk"
    stage.world.set_scenario(SLUG, "trunk", "green")
    await stage.lists.look(SLUG)
    pushed, _ = stage.push("green", "trunk"), stage.push("green", "main")
    await stage.looks()
    assert stage.told == [(pushed.number, State.PASSED)]
    (one,) = await stage.store.subscriptions.of_project(SLUG)
    assert (one.id, one.default_branch, one.project_title) == (made.id, "trunk", "acme/frontend")
    kept = await stage.store.subscriptions.get(made.id)
    assert kept is not None
    assert (kept.project_slug, kept.default_branch) == ("gh/acme/*", "main")


async def test_what_had_ended_before_a_pattern_meant_its_project_is_no_news(stage: Stage) -> None:
    await wants_own(stage)
    made = await stage.subscribes(
        pattern="gh/acme/*", project_slug="gh/acme/*", made_at=utc_now() - timedelta(days=30), branches=("*",)
    )
    over = [stage.push(branch=branch, by="octo-ada") for branch in (MAIN, "dev")]
    running = stage.push("green", age=SOON)
    await stage.fits()
    await stage.looks()
    assert sorted(stage.judge.there) == [(one.number, made.id) for one in over]
    stage.goes_by(LONG)
    await stage.looks()
    assert (stage.told, stage.own.told) == ([(running.number, State.PASSED)], [])


async def test_a_project_of_a_pattern_that_is_renamed_is_heard_of_as_long_as_it_fits(stage: Stage) -> None:
    web, apart = ProjectSlug("gh/acme/web"), ProjectSlug("gh/labs/web")
    await stage.subscribes(pattern="gh/acme/*", project_slug="gh/acme/*")
    await stage.fits()
    is_red = {"red_since": 7, "number": 7, "root_ts": "1.2"}
    await stage.store.subscriptions.know("C0WEB", SLUG, MAIN, lambda state: state.model_copy(update=is_red))
    for before, after in ((SLUG, web), (web, apart)):
        stage.world.projects[after] = stage.world.projects.pop(before)
        stage.world.projects[after].slug = after
        stage.circleci.moved[before] = after
        stage.world.trigger(after, branch=MAIN, parameters={}, by="push")
        assert await stage.lists.look(before) is None
        assert await stage.lists.look(after) == (EVERY if after == web else None)
        is_left = [(one.state.root_ts, one.title) for one in await stage.store.subscriptions.orphans.all()]
        known = await stage.store.subscriptions.known("C0WEB", web, MAIN)
        assert (known is not None, is_left) == ((True, []) if after == web else (False, [("1.2", "acme/frontend")]))


async def test_a_project_without_a_title_in_any_list_is_asked_for(stage: Stage) -> None:
    mobile = "circleci/5e0c5f62/9f1c2d7a"
    projects = Projects.model_validate({"projects": {"app": {"slug": mobile}, "web": {"slug": SLUG}}})
    reads = stage.news._looks
    found = await known_projects(reads, projects, lambda *names: patterns.fits(["acme/*", "!acme/cli"], *names))
    assert [one.title for one in found.projects] == ["acme/backend", "acme/frontend", "acme/legacy", "acme/mobile"]
    assert (found.projects[-1].slug, found.is_all) == (mobile, True)


async def test_of_many_without_a_title_each_is_asked_for_in_some_hour(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "MOST_ASKED", 2)
    reads, world, slugs = stage.news._looks, stage.world, [ProjectSlug(f"circleci/5e0c5f62/{n}") for n in range(5)]
    for slug in slugs:
        world.projects[slug] = copy.copy(world.projects[SLUG])
        world.projects[slug].slug, world.projects[slug].name = slug, f"web-{slug[-1]}"
    projects = Projects.model_validate({"projects": {f"w{slug[-1]}": {"slug": slug} for slug in slugs}})
    at_once = await known_projects(reads, projects, lambda *names: patterns.fits(["acme/web-*"], *names))
    assert (len(at_once.projects), at_once.is_all) == (2, False)
    await stage.subscribes(pattern="acme/web-*", project_slug="acme/web-*")
    for _ in range(3):
        await Fits(stage.store, reads, projects).refresh()
        await stage.store.claims.release("projects-fitted")
    assert {*slugs} <= {*await stage.store.subscriptions.projects()}
