"""What the channel hears beside the thread: ends of the branches that it asked for, each once."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import cast

import pytest

from bot.circleci.reads import Reads
from bot.errors import SlackError
from bot.models.build import Build, JobReport, Report, Run
from bot.models.caller import Place
from bot.models.circleci import Job, JobId, ProjectSlug, Ref
from bot.models.heard import Heard
from bot.models.history import Extent, Transition, Turn
from bot.models.slack import Watch
from bot.settings import ProjectEntry, Projects, Settings
from bot.store import Store
from bot.store.looks import Over
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
from tests.watching.conftest import Judged
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
TOLD = "aloud:w"


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
    ("follower", "waits"),
    [
        (follows(), True),
        (follows(ref=Ref(name="fix/cart")), False),
        (follows(ref=None), False),
        (follows(thread=Place(channel_id="D0ADA")), False),
        (follows(moved_to_direct=True), False),
        (follows(known_end="w"), False),  # it was over when somebody asked to follow it
    ],
)
def test_a_channel_waits_for_ends_of_its_branches(follower: Watch, waits: bool) -> None:
    assert aloud.is_wanted(follower, attempt("failed"), PROJECTS) == waits


def heard(number: int, *, red: bool = True, fingerprint: str = "w0") -> Heard:
    return Heard(number=number, fingerprint=fingerprint, is_red=red)


# What the channel has heard last, how #2417 ends, whether that is news, and what the channel has heard then.
ENDS: list[tuple[Heard | None, str, bool]] = [
    (None, "failed", True),
    (None, "error", True),  # it could not run
    (None, "unauthorized", True),
    (None, "not_run", True),
    (None, "success", False),
    (None, "canceled", False),
    (heard(2417), "success", True),  # a rerun repairs it
    (heard(2401), "success", True),  # a newer build does
    (heard(2418), "success", False),  # an older one does not
    (heard(2417), "canceled", False),
    (heard(2417, red=False), "success", False),
    (heard(2417, red=False), "failed", True),
    (heard(2401), "failed", True),
    (heard(2418, red=False), "failed", True),
    (heard(2417, fingerprint="w", red=False), "success", True),  # who was to say so was cut off
    (heard(2417, fingerprint="w"), "failed", True),
]


@pytest.mark.parametrize(("before", "status", "news"), ENDS)
def test_what_fails_is_news_and_what_passes_after_it(before: Heard | None, status: str, news: bool) -> None:
    assert aloud.is_news(follows(), attempt(status), Report(), before) == news


def test_a_rerun_that_fails_as_the_channel_has_heard_is_no_news() -> None:
    job = JobReport(
        job=Job(id=JobId("j"), name="unit", status="failed"), workflow_name="build", reasons=("no such image",)
    )
    report, again = Report(jobs=(job,)), attempt("failed", 2)
    told = follows(failure_before=report.signature)
    assert not aloud.is_news(told, again, report, heard(2417, fingerprint="w"))
    assert aloud.is_news(told, again, report, heard(2417, fingerprint="w2"))  # of itself, by a run that was cut off
    assert aloud.is_news(told, again, report, heard(2401))
    assert aloud.is_news(told, again, report, None)
    assert aloud.is_news(follows(failure_before="other"), again, report, heard(2417))


def test_what_a_newer_pipeline_replaced_is_no_news() -> None:
    replaced = attempt("canceled").model_copy(update={"superseded_by": 2418})
    assert not aloud.is_news(follows(), replaced, Report(), heard(2417))


def test_a_newer_build_is_what_the_channel_knows_best() -> None:
    assert aloud.newest(attempt("failed"), None) == heard(2417, fingerprint="w")
    assert aloud.newest(attempt("success"), heard(2401)) == heard(2417, fingerprint="w", red=False)
    assert aloud.newest(attempt("failed"), heard(2418, red=False)) == heard(2418, red=False)


@pytest.mark.parametrize(
    ("turn", "before", "status", "news"),
    [
        (Turn.FIXED, None, "success", True),
        (Turn.FIXED, heard(2401, red=False), "success", True),  # it failed since, where the channel does not look
        (Turn.FIXED, heard(2417, red=False), "success", False),  # run once more, it repairs nothing
        (Turn.FIXED, heard(2417, red=False, fingerprint="w"), "success", True),  # who was to say so was cut off
        (Turn.FIXED, heard(2418), "success", False),  # a newer one failed
        (Turn.STILL_GREEN, None, "success", False),
        (Turn.FIXED, None, "failed", False),  # one workflow of it alone is repaired
        (None, None, "success", False),
    ],
)
def test_a_repair_is_said_once(turn: Turn | None, before: Heard | None, status: str, news: bool) -> None:
    found = Triage(extent=Extent(base="main"), transition=Transition(turn=turn) if turn else None)
    assert (aloud.repair(attempt(status), found, before) is not None) == news


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
            await self.store.looks.wake(PIPELINE)
            await asyncio.gather(self._look(), self._look())

    async def _look(self) -> None:
        """Let a new process look, if it is the first."""
        for one in await self.store.looks.take(1, LATER, busy=LATER):
            known = await self.store.watches.known(one.pipeline_id)
            pause = await self._new().look(one.pipeline_id, known)
            await self.store.looks.done([Over(one.pipeline_id, one.claim, pause)])

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


REPAIRED = ["✅ *Passed* · acme/frontend · main · #2417", "It repairs what had failed here in #2401."]


@pytest.mark.parametrize("drop", ["", "before", "after"])
async def test_a_repair_is_heard_where_the_failure_was_heard_and_nobody_follows_it(
    scene: Scene, store: Store, judged: Judged, drop: str
) -> None:
    hidden = scene.slack.workspace.add_channel("C0HIDDEN", "hidden", scene.slack.workspace.bot_user_id)
    judged.hidden = [hidden.id]
    elsewhere = scene.slack.workspace.channel("war-room")
    quiet, slug = scene.slack.workspace.channel("random"), ProjectSlug("gh/acme/frontend")
    passed = attempt("success")
    await scene.ends(passed)
    await store.ends.note(elsewhere.id, slug, MAIN, heard(2401))
    await store.ends.note(hidden.id, slug, MAIN, heard(2401))
    await store.ends.note(quiet.id, slug, MAIN, heard(2418))  # of a newer one than this
    if drop:
        scene.slack.faults.add("POST", "/api/chat.postMessage", drop=drop)
    await scene.ends(passed)
    await scene.ends(passed)
    assert [one.visible.splitlines() for one in elsewhere.in_sight] == [REPAIRED]
    assert quiet.in_sight == hidden.in_sight == []
    judged.hidden.clear()
    await scene.ends(passed)
    assert [one.visible.splitlines() for one in hidden.in_sight] == [REPAIRED]
    await store.ends.note(elsewhere.id, slug, MAIN, heard(2402))
    elsewhere.is_archived = True
    await scene.ends(passed)
    assert await store.ends.red(slug, MAIN) == {quiet.id}  # which takes nothing any more, and is not asked again


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
    assert all(TOLD in one.told for one in await store.watches.of(PIPELINE))


async def test_where_the_channel_itself_takes_nothing_the_thread_does(
    store: Store, slack: Slack, teller: Teller
) -> None:
    channel = slack.workspace.channel("deploys")
    said = slack.workspace.post(channel, slack.workspace.bot_user_id, "Running", [])
    one = follows(thread=Place(channel_id=channel.id), root_ts=said.ts)
    await store.watches.add(one)
    slack.refuse("chat.postMessage", "restricted_action_thread_only_channel")
    told = await teller.final(one, "final:w", Message(text="Failed."), "", TOLD, aloud=True)
    assert (told.told, told.moved_to_direct) == (("final:w", TOLD), False)
    assert [(reply.text, reply.reply_broadcast) for reply in said.replies] == [("Failed.", False)]
    slack.refuse("chat.postMessage", "internal_error")
    with pytest.raises(SlackError, match="internal_error"):  # nobody knows whether the channel has it
        await teller.final(told, "final:w2", Message(text="Failed."), "", TOLD, aloud=True)
    slack.problems.clear()
