"""What the channel hears beside the thread: ends of the branches that it asked for, each once."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import cast

import pytest

from bot.circleci.reads import Reads
from bot.errors import SlackError
from bot.models.build import Build, Report, Run
from bot.models.caller import Place
from bot.models.circleci import Job, JobId, Ref
from bot.models.history import Extent, Transition, Turn
from bot.models.slack import Watch
from bot.settings import ProjectEntry, Projects, Settings
from bot.store import Store
from bot.triage.diagnosis import Triage
from bot.watching import aloud
from bot.watching.engine import Engine
from bot.watching.operator import Operator
from bot.watching.teller import Teller
from bot.watching.triager import Past, Triager
from bot.watching.watcher import Sources, Watcher
from formatters.blocks import Message
from formatters.links import Links
from playground.slack.api import Slack
from tests.store.test_watches import PIPELINE, watch
from tests.watching.test_trouble import FarSide, NoEngine, build, settings

__all__ = ["settings"]

MAIN = Ref(name="main")
PROJECTS = Projects(
    projects={
        "web": ProjectEntry(slug="gh/acme/frontend", tell_channel=("main", "release/*", "!release/old")),
        "quiet": ProjectEntry(slug="gh/acme/backend"),
    }
)
LATER = timedelta(minutes=10)
RED, GREEN = "aloud:red:w", "aloud:green:w"


def follows(name: str = "Ev1", ref: Ref | None = MAIN, **more: object) -> Watch:
    return watch(name, ref=ref, **more)


def attempt(status: str, number: int = 1) -> Build:
    """Return the build in an attempt that ended so, a while ago."""
    ended = build(status, age=LATER)
    workflow = ended.runs[0].workflow.model_copy(update={"id": "w" if number == 1 else f"w{number}"})
    jobs = (Job(id=JobId("j"), name="unit", status=status),)
    return ended.model_copy(update={"runs": (Run(workflow=workflow, jobs=jobs, attempt=number),)})


@pytest.mark.parametrize(
    ("name", "kind", "slug", "hears"),
    [
        ("main", "branch", "gh/acme/frontend", True),
        ("main", "branch", "github/Acme/frontend", True),
        ("release/v2.0", "branch", "gh/acme/frontend", True),
        ("release/v2.0", "tag", "gh/acme/frontend", True),
        ("release/old", "branch", "gh/acme/frontend", False),
        ("mainly", "branch", "gh/acme/frontend", False),
        ("Main", "branch", "gh/acme/frontend", False),
        ("main", "branch", "gh/acme/backend", False),
        ("main", "branch", "gh/acme/other", False),
    ],
)
def test_the_file_says_of_which_branches(name: str, kind: str, slug: str, hears: bool) -> None:
    assert PROJECTS.tells_channel(slug, Ref(name=name, kind=kind)) == hears
    assert not PROJECTS.tells_channel(slug, None)


@pytest.mark.parametrize(
    ("follower", "status", "hears"),
    [
        (follows(), "failed", True),
        (follows(), "error", True),  # it could not run
        (follows(), "unauthorized", True),
        (follows(), "success", False),
        (follows(), "canceled", False),
        (follows(), "not_run", True),
        (follows(told=(RED,)), "success", True),
        (follows(told=(RED,)), "canceled", False),
        (follows(told=(RED, GREEN)), "success", False),
        (follows(told=(RED, GREEN)), "failed", True),
        (follows(ref=Ref(name="fix/cart")), "failed", False),
        (follows(ref=None), "failed", False),
        (follows(thread=Place(channel_id="D0ADA")), "failed", False),
        (follows(moved_to_direct=True), "failed", False),
        (follows(known_end="w"), "failed", False),  # it was over when somebody asked to follow it
    ],
)
def test_what_fails_is_said_to_all_and_what_passes_after_it(follower: Watch, status: str, hears: bool) -> None:
    assert aloud.is_for_all(follower, attempt(status), Report(), PROJECTS) == hears


def test_what_a_newer_pipeline_replaced_is_said_to_nobody() -> None:
    replaced = attempt("canceled").model_copy(update={"superseded_by": 2418})
    assert not aloud.is_for_all(follows(told=(RED,)), replaced, Report(), PROJECTS)


@pytest.mark.parametrize(
    ("turn", "told", "status", "hears"),
    [
        (Turn.FIXED, (), "success", True),
        (Turn.FIXED, (RED,), "success", True),
        (Turn.FIXED, (GREEN,), "success", False),  # run once more, it repairs nothing
        (Turn.STILL_GREEN, (), "success", False),
        (Turn.FIXED, (), "failed", False),  # one workflow of it alone is repaired
        (None, (), "success", False),
    ],
)
def test_a_repair_is_said_once(turn: Turn | None, told: tuple[str, ...], status: str, hears: bool) -> None:
    found = Triage(extent=Extent(base="main"), transition=Transition(turn=turn) if turn else None)
    assert (aloud.repair(follows(told=told), attempt(status), found, PROJECTS) is not None) == hears
    elsewhere = follows(told=told, ref=Ref(name="fix/cart"))
    assert aloud.repair(elsewhere, attempt(status), found, PROJECTS) is None


def test_of_several_in_a_channel_the_oldest_speaks() -> None:
    there, direct = Place(channel_id="C1"), Place(channel_id="D1")
    all_of_them = [
        follows("late", known_end="w"),
        follows("first"),
        follows("second"),
        follows("there", thread=there),
        follows("direct", thread=direct),
    ]
    assert aloud.speakers(all_of_them, attempt("failed")) == {"first", "there"}


class Scene:
    """Watchers over one build of main, which two people follow in #deploys and one in #releases."""

    def __init__(self, slack: Slack, store: Store, far_side: FarSide, new: Callable[[], Watcher]) -> None:
        self.slack, self.store, self._far_side, self._new = slack, store, far_side, new

    async def ends(self, ended: Build) -> None:
        """Let it end so, and two new processes look at it at once until that is surely its end, and once more."""
        for number in range(3):
            self._far_side.answer = ended.model_copy(update={"read_at": ended.read_at + number * LATER})
            await asyncio.gather(self._new().look(PIPELINE), self._new().look(PIPELINE))

    def heard(self, name: str = "deploys") -> list[str]:
        """Return what a channel has read that is no root."""
        channel = self.slack.workspace.channel(name)
        return [one.visible for one in channel.in_sight if one.thread_ts]


@pytest.fixture
async def scene(settings: Settings, store: Store, slack: Slack, teller: Teller, operator: Operator) -> Scene:
    far_side = FarSide()
    reads = cast("Reads", far_side)
    sources = Sources(reads, reads, (), PROJECTS)
    names = {"Ev1": "deploys", "Ev2": "deploys", "Ev3": "releases"}
    for name, channel in names.items():
        await store.watches.add(follows(name, thread=Place(channel_id=slack.workspace.channel(channel).id)))
    engine = cast("Engine", NoEngine())
    return Scene(slack, store, far_side, lambda: Watcher(settings, store, sources, teller, Links(), operator, engine))


async def test_a_failure_and_its_repair_are_heard_once_in_each_channel(scene: Scene) -> None:
    await scene.ends(attempt("failed"))
    (failed,) = scene.heard()
    assert "Failed" in failed
    assert "acme/frontend · main · #2417" in failed
    assert len(scene.heard("releases")) == 1
    await scene.ends(attempt("success", 2))
    assert ["Passed" in one for one in scene.heard()] == [False, True]
    await scene.ends(attempt("success", 3))
    assert len(scene.heard()) == 2
    assert [len(root.replies) for root in scene.slack.workspace.channel("deploys").roots] == [5, 5]


@pytest.mark.parametrize("drop", ["before", "after"])
async def test_one_whose_answer_was_lost_is_heard_once(scene: Scene, drop: str) -> None:
    await scene.ends(build("running"))
    scene.slack.faults.add("POST", "/api/chat.postMessage", drop=drop, times=3)
    await scene.ends(attempt("failed"))
    await scene.ends(attempt("failed"))
    assert len(scene.heard()) == len(scene.heard("releases")) == 1


async def test_the_repair_of_an_earlier_build_is_a_word_of_its_own(
    settings: Settings, scene: Scene, store: Store, teller: Teller
) -> None:
    passed = attempt("success")
    await scene.ends(passed)
    assert scene.heard() == []
    turned = Transition(turn=Turn.FIXED, times=3, since=2401)
    found = Triage(extent=Extent(base="main", builds=3), transition=turned)
    for _ in range(2):  # a process that died meanwhile does it again
        triager = Triager(settings, PROJECTS, store, cast("Past", None), teller, cast("Engine", None), Links())
        assert await triager._complete(passed, Report(), found) == []
    (told,) = scene.heard()
    assert told.splitlines() == [
        "✅ *Passed* · acme/frontend · main · #2417",
        "Fixed: it had been red for 3 builds, since #2401.",
    ]
    assert all(GREEN in one.told for one in await store.watches.of(PIPELINE))


async def test_where_the_channel_itself_takes_nothing_the_thread_does(
    store: Store, slack: Slack, teller: Teller
) -> None:
    channel = slack.workspace.channel("deploys")
    said = slack.workspace.post(channel, slack.workspace.bot_user_id, "Running", [])
    one = follows(thread=Place(channel_id=channel.id), root_ts=said.ts)
    await store.watches.add(one)
    slack.refuse("chat.postMessage", "restricted_action_thread_only_channel")
    told = await teller.final(one, "final:w", Message(text="Failed."), "", RED, aloud=True)
    assert (told.told, told.moved_to_direct) == (("final:w", RED), False)
    assert [(reply.text, reply.reply_broadcast) for reply in said.replies] == [("Failed.", False)]
    slack.refuse("chat.postMessage", "internal_error")
    with pytest.raises(SlackError, match="internal_error"):  # nobody knows whether the channel has it
        await teller.final(told, "final:w2", Message(text="Failed."), "", RED, aloud=True)
    slack.problems.clear()
