"""What channels that subscribed to a branch are told: once each, whatever is cut off, and never lost in silence."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from datetime import timedelta
from random import Random
from typing import cast

import pytest

from bot.actions import RerunFailed, ShowLog
from bot.authors import Authors
from bot.circleci.reads import Reads
from bot.errors import CircleCIError, NotAllowed, NotFound, Rejected, SlackError, Unavailable
from bot.messenger import Messenger
from bot.models.build import Build
from bot.models.caller import Caller, Place
from bot.models.circleci import Pipeline, PipelineId, ProjectSlug, Ref, TestResult, Vcs
from bot.models.heard import Heard
from bot.models.news import News, ReadUpTo
from bot.models.red import Branch
from bot.models.slack import Watch, utc_now
from bot.models.subscription import Event, Fitting, Mode, Subscription
from bot.permissions import Permissions
from bot.settings import ProjectEntry, Projects
from bot.store import Store
from bot.watching.branches import is_red
from bot.watching.operator import Operator
from bot.watching.otherwise import MOST_WAITS
from bot.watching.pausing import LONGEST, MOST_DENIALS, MOST_REFUSALS, MOST_TRIES, again_after
from bot.watching.pings import Pings
from bot.watching.read_on import A_PAGE
from bot.watching.saying import Saying
from bot.watching.telling import Telling
from bot.watching.triager import final_key
from bot.watching.watcher import Sources
from bot.whereabouts import Whereabouts
from formatters import red
from formatters.links import Links
from playground.slack.api import Slack
from playground.slack.conversations import Channel
from tests.watching.test_branches import BROKEN, build, stands

PEOPLE = {"octo-grace": "U0GRACE", "octo-ada": "U0ADA"}  # at the code host


OF_BRANCHES = [*Event][:5]


class FarSide:
    """A CircleCI that has these builds of the branch, with how each stands by now."""

    def __init__(self) -> None:
        self.builds: dict[int, Build] = {}
        self.broken: dict[int, CircleCIError] = {}
        self.refuses: CircleCIError = Unavailable("it does not answer")
        self.asked = self.refused = 0
        self.of_forks = 0  # builds that stand on a page before each of ours, and are left out

    def has(self, *builds: Build) -> None:
        self.builds |= {one.pipeline.number: one for one in builds}

    async def pipelines(self, _slug: str, _branch: str, pages: int = 1) -> list[Pipeline]:
        self.asked += pages
        if not self.builds:
            raise Unavailable("it does not answer")
        newest = sorted(self.builds, reverse=True)[: pages * A_PAGE // (1 + self.of_forks)]
        return [self.builds[number].pipeline for number in newest]

    async def whole(self, pipeline: Pipeline) -> Build:
        self.asked += 1
        return self.builds[pipeline.number]

    async def build(self, _: PipelineId) -> Build:
        self.refused += 1
        raise self.refuses

    async def some_tests(self, _slug: str, _number: int, _pages: int) -> tuple[tuple[TestResult, ...], bool]:
        return (), False

    async def outline(self, pipeline: Pipeline) -> Build:
        self.asked += 1
        if error := self.broken.get(pipeline.number):
            raise error
        return self.builds[pipeline.number]


class Door:
    """A policy that lets some people read."""

    def __init__(self) -> None:
        self.refuses: Exception | None = None
        self.of: str | None = None
        self.asked: list[tuple[Caller, str, Ref | None]] = []

    async def check(self, caller: Caller, word: str, slug: str, ref: Ref | None, *, certain: bool = True) -> None:
        assert certain is (ref is not None)
        self.asked.append((caller, word, ref))
        is_about = self.of in (None, slug) or (ref is not None and ref.name == self.of)
        if self.refuses is not None and caller.person_id == "U0ADA" and is_about:
            raise self.refuses


class Stage:
    def __init__(self, slack: Slack, store: Store, messenger: Messenger, operator: Operator) -> None:
        self.slack, self.store, self.door, self.far_side = slack, store, Door(), FarSide()
        reads = cast("Reads", self.far_side)
        tells_aloud = ProjectEntry(slug="gh/acme/backend", tell_channel=["main"])
        sources = Sources(reads, reads, (), Projects(projects={"backend": tells_aloud}))
        door = cast("Permissions", self.door)
        self.messenger = messenger
        pings = self.pings = Pings(
            store.claims, Authors(PEOPLE, messenger, store.news.mail), door, Whereabouts(messenger)
        )
        self.telling = Telling(store, messenger, door, sources, Links(), operator, pings)

    async def dies_over(self, one: Build, tell: Callable[[Build], Awaitable[object]] | None = None) -> None:
        """Let a run post a message about a branch, or a build, and die before it hears that."""
        lost, before = asyncio.Event(), len(self.channel().messages)
        self.slack.faults.add("POST", "/api/chat.postMessage", drop="after", until=lost)
        run = asyncio.ensure_future((tell or self.telling.judged)(one))
        await self.slack.wait_for(lambda: len(self.channel().messages) > before)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        self.slack.faults.clear()
        lost.set()

    def channel(self, name: str = "deploys") -> Channel:
        return self.slack.workspace.channel(name)

    def texts(self, name: str = "deploys") -> list[str]:
        """Return what stands in a channel and its threads, as it reads by now, the oldest first."""
        return [one.text.partition(":")[0].partition(" when ")[0] for one in self.channel(name).messages]

    async def subscribes(self, **more: object) -> Subscription:
        kept = len(await self.store.subscriptions.all())
        fields: dict[str, object] = {
            "id": f"s{kept}",
            "channel_id": "C0DEPLOYS",
            "made_by": "U0ADA",
            "made_by_name": "ada",
            "team_id": "T0ACME",
            "made_at": utc_now() - timedelta(days=30),
            "project_slug": "gh/acme/backend",
            "project_title": "acme/backend",
            "default_branch": "main",
        }
        rule = Subscription.model_validate({**fields, **more})
        assert await self.store.subscriptions.add(rule)
        return rule

    async def judged(self, *builds: Build) -> None:
        """Let these be judged, as the look at each of them has it."""
        for one in builds:
            assert await self.telling.judged(one) is None
            await self.is_noted(one)

    async def is_noted(self, one: Build) -> None:
        pipeline = one.pipeline
        if is_red(one) is not None:
            await self.store.news.note_judged(pipeline.project_slug, str(pipeline.ref), pipeline.number)
            await self.store.news.save(pipeline.id, News(pipeline=pipeline, judged=one.fingerprint))

    async def is_put_off(self, one: Build) -> None:
        assert await self.telling.judged(one)
        await self.is_noted(one)

    async def misses(self, *builds: Build) -> None:
        """Let these be judged while the channel takes nothing."""
        for one in builds:
            self.slack.refuse("chat.postMessage", "is_archived", times=1)
            await self.judged(one)

    async def until_hidden(self, one: Build) -> None:
        """Let a rule be paused whose maker may not look at it."""
        for _ in range(MOST_DENIALS):
            await self.telling.judged(one)

    async def until_told(self, one: Build) -> None:
        while await self.telling.judged(one):
            await self.slack.pause(0.01)
        await self.is_noted(one)

    async def paused(self) -> list[str]:
        return [rule.paused for rule in await self.store.subscriptions.all()]


@pytest.fixture
def stage(slack: Slack, store: Store, messenger: Messenger, operator: Operator) -> Stage:
    return Stage(slack, store, messenger, operator)


LEFT = "⏸️ For now I do not say here"
RED, STILL, GREEN, PASSED = (
    "main of acme/backend is red since #1 or before",
    "main of acme/backend is still red, 2nd build",
    "main of acme/backend is green again.",
    "main of acme/backend passed in 4 h 1 min.",
)


async def test_what_broke_and_was_fixed_is_told_in_one_thread(stage: Stage) -> None:
    await stage.subscribes()
    await stage.judged(build(1), build(2), build(3, "success"), build(4, "success"))
    assert stage.texts() == [GREEN, GREEN]
    (root,) = stage.channel().roots
    assert len(root.replies) == 1
    assert root.edited_ts


async def test_each_is_told_once_however_often_and_from_wherever_it_is_judged(
    stage: Stage, messenger: Messenger, operator: Operator
) -> None:
    await stage.subscribes(events=OF_BRANCHES)
    other = Stage(stage.slack, stage.store, messenger, operator)
    for one in (build(1), build(2), build(3, "success")):
        await asyncio.gather(*(each.until_told(one) for each in (stage, other, stage, other)))
    await stage.judged(build(1), build(2), build(3, "success"))
    assert stage.texts() == [GREEN, STILL, GREEN]


@pytest.mark.parametrize("lost", ["chat.postMessage", "chat.update"])
async def test_what_is_cut_off_is_gone_on_with(stage: Stage, lost: str) -> None:
    """Slack has taken it, and the answer is lost, or the edit that follows: nothing is said twice, all is told."""
    await stage.subscribes(events=OF_BRANCHES)
    await stage.judged(build(1))
    stage.slack.faults.add("POST", f"/api/{lost}", drop="after")
    await stage.until_told(build(2))
    stage.slack.faults.add("POST", f"/api/{lost}", status=503)
    await stage.is_put_off(build(3, "success"))
    known = await stage.store.subscriptions.known("C0DEPLOYS", ProjectSlug("gh/acme/backend"), "main")
    assert known is not None
    assert known.is_red
    await stage.judged(build(3, "success"))
    assert stage.texts() == [GREEN, STILL, GREEN]


async def test_a_post_that_another_run_made_before_it_died_is_found(stage: Stage) -> None:
    rule = await stage.subscribes()
    await stage.judged(build(1))
    (root,) = stage.channel().roots
    (slug, channel_id, branch) = (rule.project_slug, rule.channel_id, "main")
    as_before = Branch(channel_id=channel_id, project_slug=slug, branch=branch)
    await stage.store.subscriptions.know(channel_id, slug, branch, lambda _: as_before)
    await stage.judged(build(1), build(2, "success"))
    assert [one.text for one in stage.channel().roots] == [GREEN]
    assert root.replies


@pytest.mark.parametrize(("then", "stands"), [("failed", [RED, STILL]), ("success", [GREEN, GREEN])])
async def test_where_a_run_died_over_the_message_the_next_build_goes_on_with_it(
    stage: Stage, then: str, stands: list[str]
) -> None:
    """Else there would be two, of which one is never repaired."""
    await stage.subscribes(events=OF_BRANCHES)
    await stage.dies_over(build(1))
    await stage.judged(build(2, then), build(1))
    assert stage.texts() == stands
    assert len(stage.channel().roots) == 1


async def test_where_a_run_died_before_the_message_stood_the_next_build_posts_its_own(stage: Stage) -> None:
    await stage.subscribes()
    stage.slack.faults.add("POST", "/api/chat.postMessage", status=503, times=3)
    await stage.is_put_off(build(1))
    stage.slack.faults.clear()
    await stage.judged(build(2), build(1))
    assert len(stage.channel().roots) == 1


@pytest.mark.parametrize(
    ("code", "how_often"), [("not_in_channel", 1), ("is_archived", 1), ("channel_not_found", 1), ("odd", MOST_REFUSALS)]
)
async def test_a_channel_that_takes_nothing_pauses_its_rules_and_two_people_hear_of_it_once(
    stage: Stage, code: str, how_often: int
) -> None:
    await stage.subscribes()
    await stage.subscribes(branches=["m*"], events=["still-red"])
    stage.slack.refuse("chat.postMessage", code, times=how_often)
    for _ in range(how_often - 1):
        await stage.is_put_off(build(1))
    await stage.judged(build(1))
    assert (await stage.paused(), stage.texts()) == ([code, code], [])
    (direct,) = stage.slack.person("ada").direct_messages
    assert stage.texts("releases") == [direct.text.partition(":")[0]]

    stage.slack.refuse("chat.postMessage", code, times=how_often)
    for _ in range(how_often - 1):
        await stage.is_put_off(build(2))
    await stage.judged(build(2))
    assert stage.slack.person("ada").direct_messages == [direct]
    await stage.judged(build(3))
    assert (await stage.paused(), stage.texts()) == (["", ""], ["main of acme/backend is red since #3 or before"])


@pytest.mark.parametrize(
    ("error", "pauses", "most"),
    [
        (SlackError("chat.postMessage", "is_archived"), [], 0),
        (SlackError("chat.postMessage", "odd"), [1, 2, 4, 8], MOST_REFUSALS - 1),
        (SlackError("chat.postMessage", "message_limit_exceeded"), [1, 2, 4, 8, 16, 32, 60, 60], MOST_TRIES - 1),
        (SlackError("chat.postMessage", "token_revoked"), [1, 2, 4, 8, 10, 10], None),  # it is of no channel
        (SlackError("chat.postMessage", "TimeoutError", lost=True), [1 / 12, 1 / 6, 1 / 3], None),
    ],
)
def test_what_slack_refuses_is_tried_ever_more_rarely(error: SlackError, pauses: list[float], most: int | None) -> None:
    found = [again_after(error, times) for times in range(1, 2000)]
    assert found[: len(pauses)] == [timedelta(minutes=pause) for pause in pauses]
    tried = [pause for pause in found if pause is not None]
    assert len(tried) == (len(found) if most is None else most)
    assert max(tried, default=LONGEST) <= LONGEST


@pytest.mark.parametrize(
    "why", [(red.HIDDEN, NotAllowed("U0ADA", "read", "web")), (red.UNKNOWN, NotFound("project", "x"))]
)
async def test_what_who_subscribed_may_not_look_at_is_not_told(stage: Stage, why: tuple[str, Exception]) -> None:
    reason, stage.door.refuses = why
    await stage.subscribes()
    for _ in range(MOST_DENIALS - 1):
        await stage.is_put_off(build(1))
    await stage.judged(build(1), build(2))
    told = [LEFT] if reason == red.HIDDEN else []  # that somebody else may let it go on
    assert (await stage.paused(), stage.texts(), len(stage.texts("releases"))) == ([reason], told, 1)
    assert not stage.slack.person("ada").direct_messages
    caller, word, ref = stage.door.asked[0]
    assert (caller.channel_id, caller.team_id, word, ref) == ("C0DEPLOYS", "T0ACME", "read", Ref(name="main"))
    stage.door.refuses = None
    await stage.judged(build(3))
    assert (await stage.paused(), len(stage.texts())) == ([""], len(told) + 1)


async def test_while_slack_does_not_say_who_they_are_nothing_is_lost(stage: Stage) -> None:
    await stage.subscribes()
    stage.door.refuses = NotAllowed("U0ADA", "read", "guests")
    await stage.is_put_off(build(1))
    stage.door.refuses = None
    await stage.judged(build(1))
    assert (await stage.paused(), stage.texts()) == ([""], [RED])


async def test_a_branch_that_may_not_be_read_is_left_out_and_the_rest_is_told(stage: Stage) -> None:
    await stage.subscribes(branches=["*"])
    stage.door.refuses, stage.door.of = NotAllowed("U0ADA", "read", "web"), "secret"
    for _ in range(MOST_DENIALS - 1):
        await stage.is_put_off(build(1, vcs={"branch": "secret"}))
    await stage.judged(build(1, vcs={"branch": "secret"}), build(2, vcs={"branch": "secret"}), build(3))
    assert (await stage.paused(), stage.texts()) == ([""], ["main of acme/backend is red since #3 or before"])


async def test_of_branches_named_in_full_the_rule_is_paused_where_none_may_be_read(stage: Stage) -> None:
    await stage.subscribes(branches=["main", "secret"])
    stage.door.refuses, stage.door.of = NotAllowed("U0ADA", "read", "web"), "secret"
    await stage.until_told(build(1, vcs={"branch": "secret"}))
    assert await stage.paused() == [""]
    stage.door.of = None
    await stage.until_told(build(2))
    assert (await stage.paused(), stage.texts()) == ([red.HIDDEN], [LEFT])


async def test_somebody_elses_rule_of_the_channel_goes_on(stage: Stage) -> None:
    stage.door.refuses = NotAllowed("U0ADA", "read", "web")
    await stage.subscribes()
    await stage.subscribes(made_by="U0GRACE", events=["failed"])
    await stage.until_told(build(1))
    assert (await stage.paused(), stage.texts()) == ([red.HIDDEN, ""], [LEFT, RED])


async def test_a_channel_with_several_rules_is_told_once_as_all_of_them_ask(stage: Stage) -> None:
    await stage.subscribes(events=["broke"], mode="channel", mention="U0GRACE")
    await stage.subscribes(events=["still-red"], mention="U0ADA")
    await stage.subscribes(events=["failed"], mention="S0WEB", branches=["ma*", "!release/*"])
    await stage.subscribes(events=["passed"], channel_id="C0RELEASES")
    await stage.subscribes(branches=["release/*"], channel_id="C0GENERAL")
    await stage.judged(build(1), build(2), build(3, "success"))
    (root,) = stage.channel().roots
    first = root.history[0][1][0]["text"]["text"]
    assert first.endswith(" <@U0GRACE> <!subteam^S0WEB>")
    assert (len(root.replies), stage.texts("releases"), stage.texts("general")) == (1, [GREEN], [])


def pushed_by(login: str, number: int, status: str = "failed", attempt: int = 1, kind: str = "webhook") -> Build:
    return build(number, status, attempt, trigger={"type": kind, "actor": {"login": login}})


def first_words(stage: Stage, name: str = "deploys") -> list[str]:
    """Return the first line of each message of a channel, as it was posted."""
    posted = [one.history[0][1] if one.history else one.blocks for one in stage.channel(name).roots]
    return [blocks[0]["text"]["text"] for blocks in posted]


@pytest.mark.parametrize("other", ["main\u00a0", "\u3000main", "main\u200b", "main\u2003workflow=build"])
async def test_a_branch_whose_name_looks_like_another_one_is_another_one(stage: Stage, other: str) -> None:
    """Git takes each blank but the one of ASCII."""
    await stage.subscribes(branches=["*"])
    await stage.judged(build(1), build(2, "success", vcs={"branch": other}), build(3, vcs={"branch": other}))
    assert (stage.texts()[0], len(stage.texts())) == (RED, 2)
    assert "␣" in stage.texts()[1]


async def test_who_pushed_what_broke_is_mentioned_once_and_never_in_an_edit(stage: Stage) -> None:
    await stage.subscribes(mention="U0GRACE", events=OF_BRANCHES)
    await stage.subscribes(channel_id="C0RELEASES")
    await stage.judged(pushed_by("octo-ada", 1), pushed_by("octo-grace", 2), pushed_by("octo-ada", 3, "success"))
    await stage.judged(pushed_by("Octo-Grace", 4), pushed_by("octo-ada", 4, attempt=2), pushed_by("ken", 5))
    ends = [one.partition(" before")[2] for one in first_words(stage)]
    assert ends == [" <@U0GRACE> <@U0ADA>", " <@U0GRACE>"]  # whom the rule names too is mentioned once
    assert not any("<@" in one for one in first_words(stage, "releases"))  # told of the same break
    assert not any("U0ADA" in str(one.blocks) for one in stage.channel().messages)
    pinged = [await stage.pings.is_pinged(pushed_by("", number), "U0ADA") for number in (1, 2, 4)]
    assert pinged == [True, False, False]


async def test_who_may_not_look_at_it_there_is_not_mentioned(stage: Stage) -> None:
    await stage.subscribes(made_by="U0GRACE")
    stage.door.refuses = NotAllowed("U0ADA", "read", "web")
    await stage.judged(pushed_by("octo-ada", 1))
    stage.door.refuses = None
    await stage.subscribes(channel_id="C0RELEASES", made_by="U0GRACE")
    await stage.judged(pushed_by("octo-ada", 1))
    assert ["<@U0ADA>" in one for name in ("deploys", "releases") for one in first_words(stage, name)] == [False, True]


DEPLOYS, ADAS, GRACES, WITHOUT_HER = "C0DEPLOYS", "D0ADA", "D0GRACE", "C0WARROOM"


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ([ADAS, DEPLOYS], [False, True]),
        ([WITHOUT_HER, DEPLOYS], [False, True]),
        ([WITHOUT_HER, ADAS], [False, False]),
        ([GRACES, DEPLOYS], [True, False]),
        ([DEPLOYS, GRACES], [True, False]),
    ],
)
async def test_who_broke_it_is_mentioned_where_they_are_and_else_hears_of_it_otherwise(
    stage: Stage, channels: list[str], expected: list[bool]
) -> None:
    """In direct messages these are those whose they are; a mention that reaches nobody takes theirs from no channel."""
    for one in ("U0ADA", "U0GRACE"):
        stage.slack.workspace.open_im(one)
    for channel_id in channels:
        await stage.subscribes(channel_id=channel_id)
    await stage.judged(pushed_by("octo-grace", 1))
    assert ["<@U0GRACE>" in first_words(stage, one)[0] for one in channels] == expected
    assert await stage.pings.is_pinged(pushed_by("octo-grace", 1), "U0GRACE") is any(expected)


async def test_whom_a_rule_names_is_mentioned_where_they_are_also_in_what_is_written_anew(stage: Stage) -> None:
    direct = stage.slack.workspace.open_im("U0ADA")
    for channel_id in (WITHOUT_HER, direct.id, DEPLOYS):
        await stage.subscribes(channel_id=channel_id, mention="U0GRACE", branches=["main", "tag:v*"])
    await stage.subscribes(channel_id=WITHOUT_HER, mention="S0RELEASE", events=["broke", "still-red"])
    await stage.judged(pushed_by("octo-ada", 1))
    assert not await stage.pings.is_pinged(pushed_by("", 1), "S0RELEASE")  # who is in it Slack may not say
    assert await stage.pings.is_pinged(pushed_by("", 1), "U0GRACE")
    await stage.judged(build(2), build(3, vcs={"tag": "v1.0"}))
    said = {one: str([message.blocks for message in stage.channel(one).messages]) for one in (WITHOUT_HER, direct.id)}
    assert not any("U0GRACE" in text for text in said.values())
    assert "S0RELEASE" in said[WITHOUT_HER]
    assert str([message.blocks for message in stage.channel().messages]).count("<@U0GRACE>") == 2


async def test_what_is_told_in_somebodys_direct_messages_is_told_to_them(stage: Stage) -> None:
    """Whether it mentions them or not; what is written anew there tells them nothing."""
    direct = stage.slack.workspace.open_im("U0ADA")
    await stage.subscribes(channel_id=direct.id, events=["broke", "passed"], branches=["main", "tag:*"])
    await stage.subscribes(made_by="U0GRACE", events=OF_BRANCHES)
    tag = build(6, vcs={"tag": "v1.0"})
    ends = [build(2, "success"), build(3), build(4), build(1, "success"), tag]
    await stage.judged(*ends)
    assert [await stage.pings.is_pinged(one, "U0ADA") for one in ends] == [True, True, False, True, True]
    assert not any([await stage.pings.is_pinged(one, "U0GRACE") for one in ends])


@pytest.mark.parametrize(
    ("tests", "deploy", "is_told"),
    [("failed", "success", False), ("failed", "failed", True), ("success", "failed", True)],
)
async def test_that_some_workflows_passed_tells_nobody_how_their_build_ended(
    stage: Stage, tests: str, deploy: str, is_told: bool
) -> None:
    """Whether that is said to have passed, or repairs what was red by these alone."""
    direct = stage.slack.workspace.open_im("U0ADA")
    events = ["failed", "fixed", "passed"]
    await stage.subscribes(channel_id=direct.id, workflows=["deploy"], events=events, branches=["main", "tag:*"])
    tag = {"vcs": Vcs(tag="v1.0")}
    ends = [of_two(number, tests, deploy) for number in (1, 3, 4)]
    ends[2] = ends[2].model_copy(update={"pipeline": ends[2].pipeline.model_copy(update=tag)})
    await stage.judged(ends[0], of_two(2, "success", "failed"), *ends[1:])
    assert len(direct.messages) >= len(ends)
    assert [await stage.pings.is_pinged(one, "U0ADA") for one in ends] == [is_told] * len(ends)


async def test_what_some_workflows_mention_somebody_for_is_the_end_of_the_build(stage: Stage) -> None:
    await stage.subscribes(workflows=["deploy"])
    one = of_two(1, "success", "failed", "octo-grace")
    await stage.judged(one)
    assert "<@U0GRACE>" in first_words(stage)[0]
    assert await stage.pings.is_pinged(one, "U0GRACE")


async def test_where_slack_does_not_say_who_is_in_a_channel_it_is_mentioned_there_and_told_beside(stage: Stage) -> None:
    await stage.subscribes()
    stage.slack.refuse("users.conversations", "missing_scope", times=9)
    await stage.judged(pushed_by("octo-grace", 1))
    assert "<@U0GRACE>" in first_words(stage)[0]
    assert not await stage.pings.is_pinged(pushed_by("octo-grace", 1), "U0GRACE")


async def test_in_the_mode_of_messages_each_stands_in_the_channel(stage: Stage) -> None:
    await stage.subscribes(mode=Mode.CHANNEL, events=OF_BRANCHES)
    await stage.judged(build(1), build(2), build(3, "success"))
    assert stage.texts() == [GREEN, STILL, GREEN]
    assert len(stage.channel().roots) == 3


async def test_somebody_is_told_in_direct_messages(stage: Stage) -> None:
    direct = stage.slack.workspace.open_im("U0ADA")
    await stage.subscribes(channel_id=direct.id)
    await stage.judged(build(1))
    stage.slack.refuse("chat.postMessage", "user_disabled")
    stage.slack.refuse("conversations.open", "user_disabled")
    await stage.judged(build(2, "success"))
    assert (await stage.paused(), [one.text.partition(":")[0] for one in direct.messages]) == (["user_disabled"], [RED])
    assert stage.texts("releases") == ["ada, in direct messages, is not told what was subscribed to of acme/backend"]


async def follows(stage: Stage, one: Build, *told: str) -> None:
    """Let a thread of #deploys follow a build, polled as long as it was not told the end."""
    watch = Watch.of(
        one.pipeline, "acme/backend", Caller(person_id="U0ADA", delivery_id="e"), Place(channel_id="C0DEPLOYS")
    )
    await stage.store.watches.add(watch.with_told(*told))


async def test_a_thread_that_follows_a_build_mutes_no_word_about_its_branch(stage: Stage) -> None:
    """Its reply is about the build, and read there alone; whether it still looks makes no difference."""
    await stage.subscribes(branches=["release/*", "dev"])
    for number, status in enumerate(["failed", "success"], start=1):
        one = build(number, status, vcs={"branch": "dev"})
        await follows(stage, one)
        await stage.judged(one)
    (root,) = stage.channel().roots
    assert (root.text, len(root.replies)) == ("dev of acme/backend is green again.", 1)


async def test_what_a_thread_says_aloud_is_waited_for_and_not_said_again(stage: Stage) -> None:
    rule, one = await stage.subscribes(events=OF_BRANCHES), build(1)
    await follows(stage, one)
    await stage.is_put_off(one)
    heard = Heard(number=1, fingerprint=one.fingerprint, is_red=True)
    await stage.store.ends.note(rule.channel_id, rule.project_slug, Ref(name="main"), heard)
    (watch,) = await stage.store.watches.of(one.pipeline.id)
    await stage.store.watches.save(watch, watch.with_told(final_key(one)))
    await stage.judged(one)
    assert stage.texts() == []
    await stage.judged(build(2))
    assert stage.texts() == ["main of acme/backend is red since #1 or before"]


async def test_whoever_is_to_be_called_is_called_whatever_a_thread_says_aloud(stage: Stage) -> None:
    rule, one = await stage.subscribes(mention="S0ONCALL"), build(1)
    heard = Heard(number=1, fingerprint=one.fingerprint, is_red=True)
    await stage.store.ends.note(rule.channel_id, rule.project_slug, Ref(name="main"), heard)
    await stage.judged(one)
    assert "S0ONCALL" in stage.channel().roots[0].visible


async def test_a_thread_that_says_nothing_for_long_is_not_waited_for(stage: Stage) -> None:
    await stage.subscribes()
    await follows(stage, build(1))
    for _ in range(MOST_WAITS):
        await stage.is_put_off(build(1))
    await stage.judged(build(1))
    assert stage.texts() == [RED]


async def test_a_repair_that_the_channel_heard_aloud_is_not_told_there_again(stage: Stage) -> None:
    """It knew the branch red by a deploy of its own, and the build that repairs it is followed somewhere else."""
    rule = await stage.subscribes()
    await stage.judged(build(1))
    green = build(2, "success")
    heard = Heard(number=2, fingerprint=green.fingerprint, is_red=False)
    await stage.store.ends.note(rule.channel_id, rule.project_slug, Ref(name="main"), heard)
    await stage.judged(green)
    (root,) = stage.channel().messages
    assert (root.text, root.replies) == (GREEN, [])


async def test_a_repair_that_a_rule_told_is_not_said_aloud_later(stage: Stage) -> None:
    rule = await stage.subscribes()
    main, red_before = Ref(name="main"), Heard(number=1, fingerprint="w1.1", is_red=True)
    await stage.judged(build(1))
    await stage.store.ends.note(rule.channel_id, rule.project_slug, main, red_before)
    await stage.judged(build(2, "success"))
    assert not await stage.store.ends.red(rule.project_slug, main)


@pytest.mark.parametrize(
    ("listed", "known", "since"),
    [
        ([3, 2, 1], 2, "#3"),
        ([3, 1], 2, "#3 or before"),
        ([3], 2, "#3 or before"),
        ([4, 3, 2], 2, "#3"),
        ([], 2, "#3 or before"),
        ([3], None, "#3"),  # the first that was ever built of it
        ([5, 3], None, "#3"),
        ([3, 2], None, "#3 or before"),
        ([], None, "#3 or before"),
        ([*range(3, 13)], None, "#3 or before"),  # there may be another page
    ],
)
async def test_since_when_it_is_red_is_said_where_that_is_sure(
    stage: Stage, listed: list[int], known: int | None, since: str
) -> None:
    await stage.subscribes()
    stage.far_side.has(*map(build, listed))
    await stage.judged(*([build(known, "success")] if known else []), build(3))
    assert stage.texts() == [f"main of acme/backend is red since {since}"]


@pytest.mark.parametrize(("known", "since"), [(None, "#6 or before"), (2, "#6 or before"), (5, "#6")])
async def test_builds_of_forks_between_those_of_a_branch_hide_none_of_them(
    stage: Stage, known: int | None, since: str
) -> None:
    """Nor what repaired it."""
    stage.far_side.of_forks = A_PAGE - 1
    stage.far_side.has(*(build(number, "success" if number == 5 else "failed") for number in (1, 2, 3, 5, 6)))
    await stage.subscribes()
    await stage.judged(*([build(known, "success")] if known else []), build(6))
    assert stage.texts() == [f"main of acme/backend is red since {since}"]
    await stage.subscribes(channel_id="C0RELEASES")
    await stage.judged(build(1))
    await stage.store.news.note_judged(ProjectSlug("gh/acme/backend"), "main", 6)
    await stage.judged(build(6))
    assert stage.texts("releases")[0] == GREEN


@pytest.mark.parametrize(("listed", "since"), [([4, 3, 1], "#3"), ([4, 3, 2], "#3 or before")])
async def test_who_hears_of_it_as_it_stays_red_is_told_just_so(stage: Stage, listed: list[int], since: str) -> None:
    await stage.subscribes(events=["still-red"])
    stage.far_side.has(*map(build, listed))
    await stage.judged(build(1, "success"), build(3), build(4))
    assert stage.texts() == [f"main of acme/backend is red since {since}"]


@pytest.mark.parametrize("gap", ["no channel", "nobody who may read"])
async def test_what_repaired_a_branch_while_its_channel_was_told_nothing_is_not_forgotten(
    stage: Stage, gap: str
) -> None:
    await stage.subscribes(branches=["release/*"])
    await stage.subscribes(mention="S0ONCALL")
    await stage.judged(build(1))
    stage.far_side.has(build(1), build(2, "canceled"), build(3, "success"), build(4), build(5), build(6))
    if gap == "no channel":
        stage.slack.refuse("chat.postMessage", "not_in_channel", times=1)
        await stage.judged(build(3, "success"))
    else:
        stage.door.refuses = NotAllowed("U0ADA", "read", "web")
        for one in (build(3, "success"), build(4)):
            await stage.until_told(one)
        stage.door.refuses = None
    await stage.judged(build(5), build(6), build(3, "success"))
    first, second = (one for one in stage.channel().roots if not one.text.startswith(LEFT))
    assert (first.text, [one.text for one in first.replies]) == (GREEN, [GREEN])
    assert second.text.startswith("main of acme/backend is red since #5 or before")
    assert "S0ONCALL" in str(second.history[0])
    assert "2nd red build" in second.visible


@pytest.mark.parametrize(("newest", "pages"), [(12, 1 + 2), (34, 1 + 2 + 4)])
async def test_what_repaired_a_branch_is_found_however_many_builds_came_since(
    stage: Stage, newest: int, pages: int
) -> None:
    """Also behind a page of them: all that is read is read once for all channels."""
    for channel_id in ("C0DEPLOYS", "C0RELEASES"):
        await stage.subscribes(channel_id=channel_id)
    stage.far_side.has(*(build(number, "success" if number == 3 else "failed") for number in range(1, newest + 1)))
    await stage.judged(build(1))
    await stage.store.news.note_judged(ProjectSlug("gh/acme/backend"), "main", newest - 1)
    stage.far_side.asked = 0
    await stage.judged(build(newest))
    for channel in ("deploys", "releases"):
        assert stage.texts(channel)[0] == GREEN
        assert f"is red since #{newest}" in stage.texts(channel)[-1]
    assert stage.far_side.asked == pages + len(range(2, newest))


async def test_what_repaired_a_branch_unheard_is_named_when_another_passes_or_breaks_it(stage: Stage) -> None:
    """Of several that passed it is the first: the others have repaired nothing."""
    await stage.subscribes()
    stage.far_side.has(build(1), build(2), build(3, "success"), build(4, "success"), build(5, "success"), build(6))
    await stage.judged(build(1))
    await stage.misses(build(3, "success"))
    await stage.judged(build(5, "success"))
    (root,) = stage.channel().roots
    assert [one.text for one in root.replies] == [GREEN]
    assert "#3" in root.replies[0].visible
    assert "#5" not in root.visible + root.replies[0].visible


@pytest.mark.parametrize("how", [{}, {"by": "octo-ada"}, {"workflows": ["build"]}, {"workflows": ["bu*", "!lint"]}])
async def test_what_the_rerun_of_a_build_repaired_unheard_is_told_before_another_breaks_it(
    stage: Stage, how: dict[str, object]
) -> None:
    await stage.subscribes(**how)
    again = pushed_by("octo-ada", 2, "success", 2)
    stage.far_side.has(pushed_by("octo-ada", 1), again, pushed_by("octo-ada", 3))
    await stage.judged(pushed_by("octo-ada", 1), pushed_by("octo-ada", 2))
    await stage.misses(again)
    await stage.judged(pushed_by("octo-ada", 3))
    green, fixed, broke = stage.texts()
    assert green == fixed
    assert "is green again" in green
    assert broke.endswith("is red since #3")


async def test_what_ran_again_of_a_build_beside_some_workflows_is_none_of_theirs(stage: Stage) -> None:
    await stage.subscribes(workflows=["deploy"])
    again = of_two(1, "success", "failed")
    tests, deploy = again.runs
    ran = tests.model_copy(update={"workflow": tests.workflow.model_copy(update={"id": "w1.2"}), "attempt": 2})
    await stage.judged(of_two(1, "failed", "failed"), again.model_copy(update={"runs": (ran, deploy)}))
    stage.far_side.asked = 0
    await stage.judged(of_two(2, "failed", "failed"))
    assert (len(stage.texts()), stage.far_side.asked) == (1, 0)


async def test_what_repaired_a_branch_while_it_was_put_off_is_told_before_a_newer_one(stage: Stage) -> None:
    rule = await stage.subscribes()
    stage.far_side.has(build(1), build(2, "success"), build(3), build(4))
    await stage.judged(build(1))
    stage.door.refuses = NotAllowed("U0ADA", "read", "web")
    for one in (build(2, "success"), build(3)):
        await stage.is_put_off(one)
    await stage.store.subscriptions.change(rule.id, lambda kept: kept.model_copy(update={"made_by": "U0GRACE"}))
    await stage.judged(build(4), build(2, "success"), build(3))
    assert stage.texts() == [GREEN, GREEN, "main of acme/backend is red since #4 or before"]


@pytest.mark.parametrize("error", [Rejected(404, "not found"), Unavailable("it does not answer")])
async def test_what_one_channel_cannot_be_told_for_circleci_keeps_nothing_from_the_others(
    stage: Stage, error: CircleCIError
) -> None:
    for name in ("C0RELEASES", "C0DEPLOYS"):
        await stage.subscribes(channel_id=name, events=OF_BRANCHES)
    await stage.judged(build(1))
    await stage.misses(build(2, "success"))
    stage.far_side.has(build(1), build(2, "success"), build(3))
    stage.far_side.broken = {2: error}
    before = len(stage.texts("releases"))
    with nullcontext() if isinstance(error, Rejected) else pytest.raises(Unavailable):
        await stage.telling.judged(build(3))
    assert stage.texts()[-1] == "main of acme/backend is red since #3"
    assert len(stage.texts("releases")) == before + isinstance(error, Rejected)


async def test_where_nothing_was_missed_nothing_is_asked_of_a_branch_that_stays_red(stage: Stage) -> None:
    await stage.subscribes(events=OF_BRANCHES)
    await stage.subscribes(channel_id="C0RELEASES", events=OF_BRANCHES)
    stage.far_side.has(build(1), build(2), build(3, "success"), build(4), build(7))
    await stage.judged(build(1))
    stage.far_side.asked = 0
    await stage.judged(build(2), build(4))
    assert stage.far_side.asked == 0


async def test_where_too_many_came_at_once_it_is_asked_whether_one_of_them_passed(stage: Stage) -> None:
    rule = await stage.subscribes()
    await stage.subscribes(channel_id="C0RELEASES")
    stage.far_side.has(build(1), build(2, "success"), build(7))
    await stage.judged(build(1))
    await stage.store.news.save_read(rule.project_slug, ReadUpTo(newest=7, skipped=6))
    stage.far_side.asked = 0
    await stage.judged(build(7))
    assert stage.texts() == [GREEN, GREEN, "main of acme/backend is red since #7"]
    assert stage.far_side.asked == 2  # for both channels


@pytest.mark.parametrize("newer", ["success", "failed"])
async def test_what_was_over_when_a_channel_subscribed_is_known_and_is_not_told(stage: Stage, newer: str) -> None:
    """An older build that fails after that is none of the branch; the next one that fails is told as what it is."""
    await stage.subscribes(channel_id="C0RELEASES")
    rule = await stage.subscribes()
    stage.far_side.has(build(1), build(2, newer), build(3))
    for _ in range(2):
        assert await stage.telling.was_there(build(2, newer), [rule.mark]) is None
    assert await stage.telling.judged(build(2, newer), [rule.mark]) is None
    assert (stage.texts(), len(stage.texts("releases"))) == ([], int(newer == "failed"))
    await stage.judged(build(1))
    assert stage.texts() == []
    await stage.judged(build(3))
    assert stage.texts() == [f"main of acme/backend is red since #{3 if newer == 'success' else 1}"]


@pytest.mark.parametrize("how", ["it ended before", "another rule asked for no such thing", "it ran"])
async def test_a_branch_that_was_red_when_a_channel_asked_is_red_since_then_and_nobody_is_blamed(
    stage: Stage, how: str
) -> None:
    broke, still, later = pushed_by("octo-grace", 2), pushed_by("octo-ada", 3), pushed_by("octo-ada", 4)
    stage.far_side.has(build(1, "success"), broke, still, later)
    if how.startswith("another"):
        await stage.subscribes(events=["deployed"])
        await stage.judged(build(1, "success"), broke)
    rule = await stage.subscribes(made_at=utc_now() + timedelta(hours=1), mention="S0ONCALL")
    if how.startswith("it ended"):
        assert await stage.telling.was_there(broke, [rule.mark]) is None
    assert stage.texts() == []
    await stage.judged(still)
    (root,) = stage.channel().roots
    assert root.text.startswith("main of acme/backend is red since #2:")
    assert "2nd red build" in root.visible
    assert "<" not in root.blocks[0]["text"]["text"].replace("<https", "")
    assert not await stage.pings.is_pinged(still, "U0ADA")
    await stage.judged(later)
    assert "3rd red build" in root.visible
    assert "S0ONCALL" not in root.visible
    stage.far_side.has(build(5, "success"), build(6))
    await stage.judged(build(5, "success"), build(6))
    assert stage.texts() == [GREEN, GREEN, "main of acme/backend is red since #6"]
    assert "#2, 3 red builds." in root.visible


@pytest.mark.parametrize("is_paused", [True, False])
async def test_what_was_there_is_known_also_where_another_rule_of_the_channel_may_not_be_told(
    stage: Stage, is_paused: bool
) -> None:
    """As for long, or as the same build is the first that it may not be told of."""
    broke, still = pushed_by("octo-grace", 2), pushed_by("octo-ada", 3)
    stage.far_side.has(build(1, "success"), broke, still)
    stage.door.refuses = NotAllowed("U0ADA", "read", "web")
    await stage.subscribes(events=["deployed"])
    if is_paused:
        await stage.until_hidden(build(1, "success"))
    rule = await stage.subscribes(made_by="U0GRACE")
    for _ in range(MOST_DENIALS):
        assert await stage.telling.was_there(broke, [rule.mark]) is None
        await stage.telling.judged(broke, [rule.mark])
    await stage.judged(still)
    told = stage.channel().roots[-1]
    assert told.text.startswith("main of acme/backend is red since #2:")
    assert "2nd red build" in told.visible
    assert "U0ADA" not in str(told.blocks)


@pytest.mark.parametrize("how", ["it ended before", "it ran"])
async def test_what_repairs_a_branch_that_was_red_when_a_channel_asked_is_told(stage: Stage, how: str) -> None:
    stage.far_side.has(build(1, "success"), build(2), build(3, "success"))
    rule = await stage.subscribes(made_at=utc_now() + timedelta(hours=1))
    if how.startswith("it ended"):
        assert await stage.telling.was_there(build(2), [rule.mark]) is None
    await stage.judged(build(3, "success"))
    assert stage.texts() == [GREEN]
    assert "Fixed by #3 after 1 h" in stage.channel().roots[0].visible


@pytest.mark.parametrize("newest", ["success", "failed"])
async def test_what_was_there_last_counts_also_where_that_is_not_looked_at_so_far(stage: Stage, newest: str) -> None:
    stage.far_side.has(build(1), build(2, newest), build(3, "success"))
    rule = await stage.subscribes(made_at=utc_now() + timedelta(hours=1), events=OF_BRANCHES)
    assert await stage.telling.was_there(build(1), {rule.mark}) is None
    await stage.judged(build(3, "success"))
    assert stage.texts() == [GREEN if newest == "failed" else "main of acme/backend passed in 3 h 1 min."]


async def test_since_when_it_is_red_is_not_known_where_circleci_does_not_answer(stage: Stage) -> None:
    rule = await stage.subscribes(made_at=utc_now() + timedelta(hours=1))
    assert await stage.telling.was_there(build(2), [rule.mark]) is None
    await stage.judged(build(3))
    assert stage.texts() == ["main of acme/backend is red since #2 or before"]


async def test_what_an_earlier_version_kept_of_a_red_branch_is_told_with_the_next_failure(stage: Stage) -> None:
    """It did not keep whether the channel had heard that: its message says so, where it has one."""
    await stage.subscribes()
    await stage.subscribes(channel_id="C0RELEASES")
    before = Branch(
        channel_id="C0DEPLOYS",
        project_slug=ProjectSlug("gh/acme/backend"),
        branch="main",
        red_since=1,
        number=1,
        builds=1,
    )
    there = before.model_copy(update={"channel_id": "C0RELEASES", "root_ts": "1.1"})
    await stage.store.subscriptions.know("C0DEPLOYS", before.project_slug, "main", lambda _: before)
    await stage.store.subscriptions.know("C0RELEASES", before.project_slug, "main", lambda _: there)
    await stage.judged(build(2), build(3))
    assert (stage.texts(), stage.texts("releases")) == (["main of acme/backend is red since #1"], [])


async def test_another_rule_of_the_channel_tells_what_is_no_news_to_a_new_one(stage: Stage) -> None:
    await stage.subscribes()
    new = await stage.subscribes(events=OF_BRANCHES)
    assert await stage.telling.was_there(build(1), [new.mark]) is None
    assert await stage.telling.judged(build(1), [new.mark]) is None
    assert stage.texts() == [RED]


@pytest.mark.parametrize(
    ("method", "code"), [("chat.postMessage", "thread_not_found"), ("chat.update", "message_not_found")]
)
async def test_a_message_that_is_gone_is_no_loss(stage: Stage, method: str, code: str) -> None:
    await stage.subscribes(events=OF_BRANCHES)
    await stage.judged(build(1))
    stage.slack.refuse(method, code)
    await stage.judged(build(2), build(3))
    assert (await stage.paused(), len(stage.channel().roots)) == ([""], 2)


def of_two(number: int, tests: str, deploy: str, by: str = "octo-ada") -> Build:
    """Return a build of two workflows, of which the second does not run where nothing is said of it."""
    whole = build(number, tests, trigger={"type": "webhook", "actor": {"login": by}})
    (run,) = whole.runs
    other = run.workflow.model_copy(update={"id": f"d{number}", "name": "deploy", "status": deploy})
    named = run.model_copy(update={"workflow": run.workflow.model_copy(update={"name": "tests"})})
    return whole.model_copy(
        update={"runs": (named, run.model_copy(update={"workflow": other})) if deploy else (named,)}
    )


async def test_the_buttons_of_some_workflows_act_on_these_alone(stage: Stage) -> None:
    """An attempt of theirs is told from others by them alone; with all of them it is all of the build."""
    await stage.subscribes(workflows=["dep*"])
    await stage.subscribes(workflows=["*"])
    await stage.judged(of_two(1, "failed", "failed"))
    of_deploy, of_all = stage.channel().roots
    part = of_two(1, "failed", "failed").part(["deploy"])
    pressed = RerunFailed.unpack(of_deploy.element("Rerun failed")["value"])
    assert (pressed.workflows, pressed.attempt) == (("deploy",), part.mark)
    assert "the failed jobs of deploy run again" in str(of_deploy.element("Rerun failed")["confirm"])
    assert ShowLog.unpack(of_deploy.element("Show log")["value"]).workflows == ("deploy",)
    assert RerunFailed.unpack(of_all.element("Rerun failed")["value"]).workflows == ()


async def test_how_one_workflow_stands_is_known_apart_from_all_of_its_branch(stage: Stage) -> None:
    """Where another workflow passes, that turns nothing green, nor does a build in which it does not run."""
    await stage.subscribes(events=["broke", "fixed"], workflows=["dep*"])
    await stage.subscribes(events=["broke", "fixed"])
    builds = [("success", "failed"), ("failed", ""), ("success", "success"), ("failed", "success")]
    told = [f"{name} of acme/backend is red since #1" for name in ("main (workflow=dep*)", "main")]
    stage.far_side.has(*(of_two(number, tests, deploy) for number, (tests, deploy) in enumerate(builds, 1)))
    for number, (tests, deploy) in enumerate(builds, 1):
        await stage.judged(of_two(number, tests, deploy))
        assert stage.texts() == told if number < 3 else len(stage.texts()) >= 4
    of_deploy, of_all, of_all_again = stage.channel().roots
    assert of_deploy.text == "main (workflow=dep*) of acme/backend is green again."
    assert of_all.text == GREEN
    assert of_all_again.text.startswith("main of acme/backend is red since #4")
    assert [len(root.replies) for root in (of_deploy, of_all)] == [1, 1]
    kept = await stage.store.subscriptions.known_of("C0DEPLOYS", ProjectSlug("gh/acme/backend"))
    assert sorted(one.branch for one in kept) == ["main", "main workflow=dep*"]


async def test_what_a_rule_leaves_out_of_a_build_is_not_taken_for_all_of_it(stage: Stage) -> None:
    await stage.subscribes(workflows=["deploy"])
    part = of_two(1, "success", "failed")
    await stage.judged(part)
    assert stage.texts() == ["main (workflow=deploy) of acme/backend is red since #1 or before"]
    assert await stage.store.past.ended(part.pipeline.id) is None
    (root,) = stage.channel().roots
    assert f'"attempt":"{part.mark}"' in root.element("Show log")["value"].replace(" ", "")


async def test_whose_builds_are_meant_alone_are_told_of(stage: Stage) -> None:
    """How the branch stands by the builds of others is nothing to the rule, nor do they turn it red or green."""
    await stage.subscribes(by="Octo-Ada", events=["broke", "fixed", "still-red"])
    by_others = [of_two(1, "failed", "", "octo-grace"), of_two(3, "success", "", "octo-grace")]
    hers = [of_two(2, "failed", ""), of_two(4, "failed", "")]
    stage.far_side.has(*by_others, *hers)
    await stage.judged(by_others[0], hers[0], by_others[1], hers[1])
    assert stage.texts() == [
        "main (by=octo-ada) of acme/backend is red since #2 or before",
        "main (by=octo-ada) of acme/backend is still red, 2nd build",
    ]


async def test_of_a_pattern_the_project_that_its_maker_may_not_look_at_is_left_out(stage: Stage) -> None:
    backend, web = (ProjectSlug(f"gh/acme/{name}") for name in ("backend", "web"))
    rule = await stage.subscribes(pattern="acme/*", project_slug="acme/*")
    found = [Fitting(slug=slug, title=slug[3:], default_branch="main") for slug in (backend, web)]
    await stage.store.subscriptions.fit(found, [rule])
    stage.door.refuses, stage.door.of = NotAllowed("U0ADA", "read", "web"), backend
    await stage.until_told(build(1))
    assert (await stage.paused(), stage.texts()) == ([""], [])
    await stage.judged(build(1, project_slug=web))
    assert stage.texts() == ["main of acme/web is red since #1 or before"]
    stage.door.of = None
    await stage.until_told(build(2))
    assert (await stage.paused(), len(stage.texts("releases"))) == ([red.HIDDEN], 1)


async def test_some_workflows_that_pass_have_repaired_their_branch_whatever_else_waits(stage: Stage) -> None:
    """Once, also when that is over; a setup workflow passes though what it started is another part."""
    for names in (["e2e"], ["setup"]):
        await stage.subscribes(workflows=names, events=["broke", "fixed", "passed"])

    def one(number: int, setup: str, e2e: str, deploy: str) -> Build:
        statuses = {"setup": setup, "e2e": e2e, "deploy": deploy}
        whole = stands(number, {name: how for name, how in statuses.items() if how}, {"test": "success"})
        (of_setup, *others) = whole.runs
        workflow = of_setup.workflow.model_copy(update={"tag": "setup"})
        return whole.model_copy(update={"runs": (of_setup.model_copy(update={"workflow": workflow}), *others)})

    await stage.judged(one(1, "failed", "", ""), one(2, "success", "failed", "success"))
    of_setup, of_e2e = stage.channel().roots
    assert "is green again" in of_setup.text
    assert "is red since #2" in of_e2e.text
    held = one(3, "success", "success", "on_hold")
    stage.far_side.has(held)
    for _ in range(2):
        assert await stage.telling.holds(held) is None
    assert ("is green again" in of_e2e.text, len(of_e2e.replies), len(stage.channel().roots)) == (True, 1, 2)
    await stage.judged(one(3, "success", "success", "canceled"), one(4, "success", "success", "canceled"))
    passed = sorted(root.text.partition(" of ")[0] for root in stage.channel().roots[2:])
    assert passed == ["main (workflow=e2e)", *["main (workflow=setup)"] * 2]  # #3 has been told of e2e


async def test_what_repairs_a_branch_is_told_while_the_rest_of_it_waits_for_a_person(stage: Stage) -> None:
    await stage.subscribes()
    await stage.subscribes(events=["passed"], channel_id="C0RELEASES")
    await stage.judged(BROKEN)
    held = stands(2, {"build": "on_hold"}, {"test": "success", "hold": "on_hold"})
    stage.far_side.has(held)
    bare = held.model_copy(update={"runs": tuple(run.model_copy(update={"jobs": ()}) for run in held.runs)})
    for _ in range(2):
        assert await stage.telling.holds(bare) is None
    (root,) = stage.channel().roots
    assert ([one.text for one in (root, *root.replies)], len(root.replies)) == ([GREEN, GREEN], 1)
    assert "and waits for an approval" in root.replies[0].visible
    asked = stage.far_side.asked
    await stage.telling.holds(bare)
    assert stage.far_side.asked == asked  # no channel knows it red
    await stage.judged(stands(2, {"build": "success"}, {"test": "success", "hold": "success"}))
    assert [one.partition(" in ")[0] for one in stage.texts("releases")] == [GREEN, "main of acme/backend passed"]
    await stage.judged(stands(3, {"build": "failed"}, {"test": "failed"}))
    assert len(stage.channel().roots) == 2


TAG = {"tag": "v2.0", "revision": "9f1c2d7a"}


async def test_each_build_of_a_tag_is_one_message_and_its_reruns_stand_below_it(stage: Stage) -> None:
    await stage.subscribes(branches=["tag:v*", "main"], mention="S0ONCALL")
    await stage.subscribes(branches=["tag:v2*"], events=["broke"], channel_id="C0RELEASES")
    failed, again, passed = (
        build(1, status, nth, vcs=TAG) for nth, status in enumerate(("failed", "failed", "success"), 1)
    )
    await stage.judged(failed, failed, again)
    (root,) = stage.channel().roots
    assert [one.visible.count("S0ONCALL") for one in (root, *root.replies)] == [1, 0]
    ran_again = "had failed, and passed when it ran again."
    assert stage.channel("releases").roots[0].element("Rerun failed")
    await stage.judged(passed, build(2, "success", vcs=TAG), build(3, "canceled", vcs=TAG))
    said = [
        [one.text.removeprefix("tag:v2.0 of acme/backend ") for one in (root, *root.replies)]
        for root in stage.channel().roots
    ]
    assert said == [
        [ran_again, "failed again: build.", "passed when it ran again, in 1 h 3 min."],
        ["passed in 2 h 1 min."],
    ]
    (root,) = stage.channel("releases").roots
    assert (ran_again in root.text, root.buttons, "red" in root.visible) == (True, [], False)
    assert len(root.replies) == 1
    assert {caller.person_id for caller, word, ref in stage.door.asked if ref == Ref(name="v2.0", kind="tag")} == {
        "U0ADA"
    }


def attempts(*statuses: str) -> list[Build]:
    """Return a build of a tag as it ended each time."""
    return [build(1, status, nth, vcs=TAG) for nth, status in enumerate(statuses, 1)]


async def test_a_tag_that_fails_after_it_has_passed_says_so_to_all_and_calls_for_help(stage: Stage) -> None:
    await stage.subscribes(branches=["tag:*"], mention="S0ONCALL")
    await stage.judged(*attempts("success", "failed", "success", "failed"))
    assert [one.visible.count("S0ONCALL") for one in stage.channel().roots] == [0, 0, 1]
    assert [len(one.replies) for one in stage.channel().roots] == [0, 1, 0]


@pytest.mark.parametrize("lost", ["chat.postMessage", "chat.update"])
@pytest.mark.parametrize("drop", ["after", "before"])
async def test_what_is_said_of_a_tag_is_said_once_whatever_is_cut_off(stage: Stage, lost: str, drop: str) -> None:
    await stage.subscribes(branches=["tag:*"])
    for one in attempts("failed", "failed", "success"):
        stage.slack.faults.add("POST", f"/api/{lost}", drop=drop)
        await stage.until_told(one)
        await stage.judged(one)
        stage.slack.faults.clear()
    (root,) = stage.channel().roots
    assert "had failed, and passed when it ran again." in root.text
    assert len(root.replies) == 2


async def test_where_a_run_died_over_the_message_about_a_tag_it_is_found(stage: Stage) -> None:
    await stage.subscribes(branches=["tag:*"])
    (failed,) = attempts("failed")
    await stage.dies_over(failed)
    await stage.until_told(failed)
    assert len(stage.channel().messages) == 1


async def test_the_message_about_a_tag_of_an_earlier_version_is_gone_on_with(stage: Stage) -> None:
    await stage.subscribes(branches=["tag:*"])
    failed, again = attempts("failed", "failed")
    await stage.judged(failed)
    await stage.store.claims.release("tag-message:C0DEPLOYS:gh/acme/backend:tag:v2.0:1")
    await stage.judged(again)
    (root,) = stage.channel().roots
    assert len(root.replies) == 1


async def test_where_the_message_about_a_tag_is_gone_the_next_takes_its_place(stage: Stage) -> None:
    await stage.subscribes(branches=["tag:*"])
    first, *later = attempts("failed", "failed", "success")
    await stage.judged(first)
    stage.slack.refuse("chat.postMessage", "thread_not_found", times=1)
    await stage.judged(*later)
    assert [len(one.replies) for one in stage.channel().roots] == [0, 1]


async def test_what_was_said_of_a_tag_and_is_gone_is_no_loss(stage: Stage) -> None:
    await stage.subscribes(branches=["tag:*"])
    await stage.judged(build(1, vcs=TAG))
    stage.slack.refuse("chat.update", "message_not_found")
    for _ in range(2):
        await stage.judged(build(1, "success", 2, vcs=TAG))
    assert len(stage.texts()) == 2
    assert len(stage.slack.calls_of("chat.update")) == 1


async def test_who_pushed_what_broke_is_mentioned_once_and_by_a_channel_that_takes_it(stage: Stage) -> None:
    """However many messages of a channel it broke; where that takes none, another one mentions them."""
    await stage.subscribes(channel_id="C0RELEASES")
    await stage.subscribes()
    await stage.subscribes(workflows=["dep*"])
    stage.slack.refuse("chat.postMessage", "is_archived", times=1)
    await stage.judged(of_two(1, "success", "failed", "octo-grace"))
    assert not any("@grace" in root.visible for root in stage.channel("releases").roots)
    assert [root.visible.count("@grace") for root in stage.channel().roots] == [1, 0]
    await stage.judged(of_two(2, "success", "success"), of_two(3, "success", "failed", "octo-grace"))
    pinged = [root.visible.count("@grace") for name in ("releases", "deploys") for root in stage.channel(name).roots]
    assert pinged[-3:] == [0, 0, 0]  # those of before are green by now
    assert sum(pinged) == 1


async def test_a_tag_is_no_branch(stage: Stage) -> None:
    await stage.subscribes(branches=["*"])
    await stage.judged(build(1, vcs={"tag": "v2.0", "revision": "9f1c2d7a"}), build(2, vcs=None))
    assert not stage.texts()


@pytest.mark.parametrize("seed", range(6))
async def test_in_whatever_order_and_whatever_slack_does_all_is_told_once_and_true(stage: Stage, seed: int) -> None:
    chance, faults = Random(seed), stage.slack.faults
    await stage.subscribes(events=OF_BRANCHES, mode=chance.choice([*Mode]))
    builds = [
        build(number, chance.choice(["failed", "success", "canceled", "error"]), attempt)
        for number in range(1, 7)
        for attempt in range(1, chance.choice([2, 2, 3]))
    ]
    stage.far_side.has(*builds)  # of each the last attempt
    chance.shuffle(builds)
    for one in builds + chance.choices(builds, k=3):
        for _ in range(chance.choice([0, 0, 1, 2])):
            method = chance.choice(["chat.postMessage", "chat.update"])
            drop = chance.choice(["after", "before", None])
            faults.add("POST", f"/api/{method}", drop=drop, status=503)
        await stage.until_told(one)
        faults.clear()
    newest = max((one for one in builds if is_red(one) is not None), key=lambda one: (one.pipeline.number, one.read_at))
    standing = [one for one in stage.channel().roots if "is red since" in one.text]
    assert len(standing) == is_red(newest)
    said = [one.visible for one in stage.channel().messages if not one.edited_ts]
    assert len(said) == len(set(said))
    assert await stage.paused() == [""]


async def test_that_a_rule_is_paused_is_said_later_where_slack_does_not_take_it_now(stage: Stage) -> None:
    """To whoever runs the bot, and to the channel: once each."""
    await stage.subscribes()
    stage.door.refuses = NotAllowed("U0ADA", "read", "web")
    for _ in range(MOST_DENIALS - 1):
        await stage.is_put_off(build(1))
    stage.slack.faults.add("POST", "/api/chat.postMessage", status=503, times=2)
    await stage.judged(build(1), build(2))
    assert (stage.texts(), stage.texts("releases")) == ([], [])
    saying = Saying(stage.store, stage.messenger)
    for _ in range(2):
        for channel_id in await stage.store.unsaid.channels():
            assert await saying.say(channel_id) is None
    assert len(stage.texts("releases")) == 1
    (word,) = stage.texts()
    assert "For now I do not say here" in word
