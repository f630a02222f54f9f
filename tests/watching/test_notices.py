"""What people are told of their own builds: each once, in one message; what Slack does not take ends aloud."""

import asyncio
from datetime import datetime, timedelta
from typing import cast

import pytest

from bot.authors import Authors
from bot.circleci.reads import Reads
from bot.errors import NotAllowed
from bot.messenger import Messenger
from bot.models.build import Build, Ended, Run
from bot.models.caller import Caller, Place
from bot.models.circleci import Job, Pipeline, ProjectSlug, Ref, TestResult
from bot.models.notices import About, Notice, Quiet, zone_named
from bot.models.slack import Watch, utc_now
from bot.permissions import Permissions
from bot.settings import Projects
from bot.store import Store
from bot.store.notices import MOST_HELD
from bot.watching.direct import MOST_DENIALS, MOST_REFUSALS, Direct, Said
from bot.watching.evidence import Evidence
from bot.watching.later import Later
from bot.watching.mine import Owners
from bot.watching.notices import Notices, is_wanted
from bot.watching.operator import Operator
from bot.watching.pings import Pings
from bot.watching.watcher import Sources
from bot.whereabouts import Whereabouts
from formatters.links import Links
from playground.slack.api import Slack
from playground.slack.conversations import Message
from tests.watching.test_branches import START, build
from tests.watching.test_events import TAX, TOTAL, reported
from tests.watching.test_telling import PEOPLE

ADA, GRACE = "U0ADA", "U0GRACE"
FAILED, ENDED, WAITING = About
READ, APPROVE = "read", "approve"
HOUR = timedelta(hours=1)


class Door:
    """A policy that denies some people some words."""

    def __init__(self) -> None:
        self.denied: set[tuple[str, str]] = set()

    async def check(self, caller: Caller, word: str, _slug: str, _ref: Ref | None) -> None:
        assert caller.place is not None
        assert caller.place.is_direct
        if (caller.person_id, str(word)) in self.denied:
            raise NotAllowed(caller.person_id, word, "web")


class FarSide:
    """A CircleCI that knows the jobs of a build, and one test of each that failed."""

    def __init__(self) -> None:
        self.whole_builds: dict[str, Build] = {}

    async def whole(self, pipeline: Pipeline) -> Build:
        return self.whole_builds[pipeline.id]

    async def some_tests(self, _slug: str, _number: int, _pages: int) -> tuple[tuple[TestResult, ...], bool]:
        return (TestResult(name="test_total", result="failure"), TestResult(name="test_tax", result="success")), False


async def title(slug: ProjectSlug) -> str:
    return slug.partition("/")[2]


class Stage:
    def __init__(self, slack: Slack, store: Store, messenger: Messenger, operator: Operator) -> None:
        self.slack, self.store, self.door, self.far_side = slack, store, Door(), FarSide()
        door = cast("Permissions", self.door)
        authors = Authors(PEOPLE, messenger, store.news.mail)
        self.pings = Pings(store.claims, authors, door, Whereabouts(messenger))
        direct, said = Direct(store, messenger, door, operator), Said(Links(), title)
        owners = Owners(store, authors)
        reads = cast("Reads", self.far_side)
        evidence = Evidence(store.past, Sources(reads, reads, (), Projects()))
        self.notices = Notices(store, reads, owners, direct, self.pings, said, evidence)

        async def nothing_waits(*_: object) -> list[object]:
            return []

        self.later = Later(store, direct, said, nothing_waits)  # type: ignore[arg-type]  # requests have a story

    async def wants(self, *about: About, person: str = ADA, **more: object) -> Notice:
        channel_id = self.slack.workspace.open_im(person).id
        fields = {"person_id": person, "name": person[2:].lower(), "channel_id": channel_id, "about": about}
        notice = Notice.model_validate({**fields, "since": START, **more})
        await self.store.notices.put(notice)
        return notice

    async def over(self, *builds: Build) -> None:
        for one in builds:
            assert await self.notices.over(one) is None

    def told(self, person: str = ADA) -> list[Message]:
        return self.slack.workspace.open_im(person).roots

    def heads(self, person: str = ADA) -> list[str]:
        """Return the first line of each message, as it reads by now, without the project."""
        return [head(one) for one in self.told(person)]


def head(message: Message) -> str:
    return str(message.blocks[0]["text"]["text"]).partition("\n")[0].replace(" · acme/backend", "")


def pushed(number: int, status: str = "failed", attempt: int = 1, *, by: str = "octo-ada") -> Build:
    return build(number, status, attempt, trigger={"type": "webhook", "actor": {"login": by}})


def holding(number: int, *names: str, jobs: bool = True, by: str = "octo-ada") -> Build:
    """Return a build on hold, with what waits in it or as a list of workflows alone shows it."""
    one = pushed(number, "on_hold", by=by)
    held = tuple(
        Job.model_validate({"id": name, "name": name, "type": "approval", "status": "on_hold"}) for name in names
    )
    runs = tuple(Run(workflow=run.workflow, jobs=held if jobs else ()) for run in one.runs)
    return one.model_copy(update={"runs": runs})


@pytest.fixture
def stage(slack: Slack, store: Store, messenger: Messenger, operator: Operator) -> Stage:
    return Stage(slack, store, messenger, operator)


@pytest.mark.parametrize(
    ("about", "status", "is_told"),
    [
        ([FAILED], "failed", True),
        ([FAILED], "error", True),
        ([FAILED], "success", False),
        ([FAILED], "canceled", False),
        ([ENDED], "failed", True),
        ([ENDED], "success", True),
        ([ENDED], "canceled", True),
        ([ENDED], "not_run", False),
        ([WAITING], "failed", False),
        ([FAILED, WAITING], "unauthorized", True),
    ],
)
def test_what_somebody_wants_to_be_told(about: list[About], status: str, is_told: bool) -> None:
    assert is_wanted(about, build(1, status)) is is_told
    assert not is_wanted(about, build(1, "canceled").model_copy(update={"superseded_by": 2}))


async def test_each_is_told_of_their_own_builds_alone(stage: Stage) -> None:
    await stage.over(pushed(1))
    assert not await stage.notices.are_about(pushed(1).pipeline)
    await stage.wants(FAILED)
    await stage.wants(ENDED, person=GRACE)
    await stage.over(pushed(1), pushed(2, "success", by="octo-grace"), pushed(3, by="ken"), pushed(4, "success"))
    assert (len(stage.told()), len(stage.told(GRACE))) == (1, 1)
    assert "#1" in stage.heads()[0]
    assert "✅ Passed" in stage.heads(GRACE)[0]
    assert [await stage.notices.are_about(pushed(5, by=one).pipeline) for one in ("Octo-Ada", "ken")] == [True, False]


async def test_what_somebody_asked_for_is_theirs_too(stage: Stage) -> None:
    await stage.wants(FAILED)
    asked = build(1, trigger={"type": "api", "actor": {"login": "acme-bot"}})
    by_ada = Caller(person_id=GRACE, delivery_id="e")
    watch = Watch.of(asked.pipeline, "acme/backend", by_ada, Place(channel_id="C0DEPLOYS"))
    await stage.store.watches.add(watch.model_copy(update={"asker_id": ADA}))
    await stage.over(asked)
    assert "You asked for it" in stage.told()[0].visible


async def test_one_message_is_written_anew_and_each_end_is_said_once_below_it(stage: Stage) -> None:
    await stage.wants(ENDED)
    await stage.over(pushed(1), pushed(1))
    running = pushed(1, "running", 2)
    await stage.notices.goes_on(running)
    await stage.notices.goes_on(running)
    assert stage.heads()[0].startswith("*🔵 Running*")
    await stage.over(pushed(1, "success", 2), pushed(1, "success", 2))
    (root,) = stage.told()
    assert head(root).startswith("*✅ Passed*")
    assert [head(one)[:12] for one in root.replies] == ["*✅ Passed* a"]


async def test_who_wants_failures_alone_reads_that_it_passed_when_it_ran_again_and_is_not_pinged(stage: Stage) -> None:
    await stage.wants(FAILED)
    await stage.over(pushed(1), pushed(1, "success", 2), pushed(2, "success"))
    (root,) = stage.told()
    assert (head(root)[:10], root.replies) == ("*✅ Passed*", [])


async def test_two_workers_at_once_say_it_once(stage: Stage, messenger: Messenger, operator: Operator) -> None:
    await stage.wants(ENDED)
    other = Stage(stage.slack, stage.store, messenger, operator)

    async def until_told(one: Stage) -> None:
        while await one.notices.over(pushed(1)):
            await stage.slack.pause(0.01)

    await asyncio.gather(*(until_told(one) for one in (stage, other, stage, other)))
    assert len(stage.told()) == 1


async def test_a_post_whose_answer_was_lost_is_found_again(stage: Stage) -> None:
    await stage.wants(ENDED)
    stage.slack.faults.add("POST", "/api/chat.postMessage", drop="after")
    while await stage.notices.over(pushed(1)):
        pass
    stage.slack.faults.add("POST", "/api/chat.update", status=503)
    assert await stage.notices.over(pushed(1, "success", 2))
    await stage.over(pushed(1, "success", 2))
    (root,) = stage.told()
    assert len(root.replies) == 1


async def test_what_a_process_died_over_is_found_and_not_said_again(stage: Stage) -> None:
    """It had posted, and not yet kept that."""
    await stage.wants(ENDED)
    for one in (pushed(1), pushed(1, "success", 2)):
        before = await stage.store.notices.told(ADA, "p1")
        await stage.over(one)
        await stage.store.notices.save_told(ADA, "p1", before)
        await stage.over(one)
    (root,) = stage.told()
    assert (head(root)[:10], len(root.replies)) == ("*✅ Passed*", 1)


async def test_an_approval_that_waits_is_told_with_its_button_where_they_may_give_it(stage: Stage) -> None:
    await stage.wants(FAILED, WAITING)
    await stage.wants(WAITING, person=GRACE)
    listed = holding(1, jobs=False)
    stage.far_side.whole_builds = {"p1": holding(1, "hold-prod")}
    stage.door.denied = {(ADA, APPROVE)}
    await stage.notices.goes_on(listed)
    assert not stage.told()
    stage.door.denied = set()
    await stage.notices.goes_on(listed)
    await stage.notices.goes_on(listed)
    (root,) = stage.told()
    assert not root.replies
    assert root.buttons == ["Approve hold-prod"]
    stage.far_side.whole_builds = {"p1": holding(1, "hold-prod", "hold-eu")}
    await stage.notices.goes_on(listed)
    assert len(root.replies) == 1
    await stage.notices.goes_on(pushed(1, "running"))
    assert not root.buttons
    await stage.over(pushed(1))
    assert len(root.replies) == 2
    assert not stage.told(GRACE)


async def test_what_failed_beside_a_hold_is_said_once_and_what_waits_too(stage: Stage) -> None:
    await stage.wants(ENDED, WAITING)
    held, (red,) = holding(1, "hold-prod"), pushed(1).runs
    other = red.workflow.model_copy(update={"id": "w-red", "name": "tests"})
    both = held.model_copy(update={"runs": (*held.runs, Run(workflow=other))})
    assert both.has_failed_on_hold
    await stage.over(both)
    await stage.notices.goes_on(both)
    (root,) = stage.told()
    assert head(root).startswith("*❌ Failed*")
    assert root.buttons[0] == "Approve hold-prod"
    assert len(root.replies) == 1
    over = both.runs[0].workflow.model_copy(update={"status": "success"})
    await stage.over(both.model_copy(update={"runs": (Run(workflow=over), both.runs[1])}))
    assert len(root.replies) == 1
    assert "Approve hold-prod" not in root.buttons


@pytest.mark.parametrize("how", ["thread", "mention", "group", "elsewhere"])
async def test_what_pings_them_elsewhere_is_not_told_beside(stage: Stage, how: str) -> None:
    await stage.wants(FAILED)
    one = pushed(1)
    if how == "thread":
        caller = Caller(person_id=ADA, delivery_id="e")
        await stage.store.watches.add(Watch.of(one.pipeline, "acme/backend", caller, Place(channel_id="C0DEPLOYS")))
    else:
        there = stage.slack.workspace.open_im(GRACE).id if how == "elsewhere" else "C0DEPLOYS"
        await stage.pings.note(one, Place(channel_id=there), ("S0ONCALL" if how == "group" else ADA,))
    await stage.over(one)
    assert bool(stage.told()) is (how in ("group", "elsewhere"))  # who is in a group Slack may not say


async def test_who_was_asked_to_approve_it_in_a_channel_is_not_asked_once_more(stage: Stage) -> None:
    """What a channel has not asked them for is, and says what else waits."""
    await stage.wants(WAITING)
    one = holding(1, "hold-prod", "hold-eu")
    await stage.pings.note_called(one.runs[0].holds[:1], Place(channel_id="C0DEPLOYS"), (ADA,))
    await stage.pings.note_called(one.runs[0].holds[1:], Place(channel_id="D0GRACE"), (ADA,))
    await stage.notices.goes_on(holding(1, "hold-prod"))
    assert stage.told() == []
    await stage.notices.goes_on(one)
    assert stage.told()[0].buttons[:2] == ["Approve hold-prod", "Approve hold-eu"]


async def test_in_quiet_hours_it_is_told_after_them_in_one_message_if_it_is_still_so(stage: Stage) -> None:
    around_now = all_but_an_hour(utc_now())
    await stage.wants(ENDED, WAITING, quiet=around_now)
    await stage.over(pushed(1), pushed(2, "success"), pushed(3), pushed(4), pushed(1))
    await stage.notices.goes_on(pushed(3, "running", 2))  # so that it is not over any more
    await stage.over(pushed(4, "success", 2))
    await stage.notices.goes_on(holding(5, "hold-prod"))  # what waits is not held back
    await stage.later()
    assert [one[:13] for one in stage.heads()] == ["*⏸️ On hold* "]
    await stage.wants(ENDED)
    await stage.later()
    await stage.later()
    _, summary = stage.told()
    lines = summary.visible.splitlines()
    assert "3 builds of yours ended while you wanted quiet." in lines[0]
    told = [line for line in lines if line.startswith("•")]
    assert ["#1" in told[0], "#2" in told[1], "#4" in told[2], "✅" in told[2]] == [True] * 4
    await stage.over(pushed(1), pushed(2, "success"), pushed(4, "success", 2))
    assert len(stage.told()) == 2
    await stage.over(pushed(1, "success", 2))
    assert len(stage.told()) == 3


async def test_what_mentioned_them_in_quiet_hours_stands_among_what_they_are_told_and_is_none_by_itself(
    stage: Stage,
) -> None:
    for with_another in (False, True):
        await stage.wants(FAILED, quiet=all_but_an_hour(utc_now()))
        broke, again = (pushed(number + 10 * with_another) for number in (1, 2))
        for one in (broke, again):
            await stage.pings.note(one, Place(channel_id="C0DEPLOYS"), (ADA,))
        here = pushed(3 + 10 * with_another)
        await stage.pings.note(here, Place(channel_id="D0ADA"), (ADA,))
        await stage.over(broke, again, here, *([pushed(14)] if with_another else []))
        await stage.notices.goes_on(pushed(2 + 10 * with_another, "running", 2))  # so that it is not over any more
        await stage.wants(FAILED)
        await stage.later()
        assert not await stage.store.notices.holding()
        assert len(stage.told()) == with_another
    lines = [line for line in stage.told()[0].visible.splitlines() if line.startswith("•")]
    ends = [line.rpartition(" · ")[2].partition(": ")[0] for line in lines]
    assert ends == ["you were mentioned in #deploys", "told here already", "#14"]
    assert "3 builds of yours ended" in stage.told()[0].visible


async def test_of_what_failed_in_quiet_hours_it_names_the_tests_and_offers_what_helps(stage: Stage) -> None:
    await stage.wants(FAILED, quiet=all_but_an_hour(utc_now()))
    broken, report = reported(7, TOTAL, TAX, many=5)
    one = pushed(1).model_copy(update={"runs": broken.runs})
    await stage.store.past.save_ended(Ended(build=one, report=report))
    await stage.over(one)
    await stage.wants(FAILED)
    await stage.later()
    await stage.wants(FAILED, quiet=all_but_an_hour(utc_now()))
    await stage.over(*(pushed(number, "error" if number == 4 else "failed") for number in range(2, 7)))
    await stage.wants(FAILED)
    await stage.later()
    first, second = stage.told()
    assert "#1: unit · 5 tests (total, tax and 3 more)" in first.visible
    assert first.buttons == ["Rerun failed", "Show log"]
    assert second.buttons == [f"{what} of #{one}" for one in (3, 5, 6) for what in ("Rerun failed", "Show log")]


async def test_of_more_than_are_held_it_says_how_many_there_were(stage: Stage) -> None:
    """However often one of them ends anew, and also if some are asked for again."""
    await stage.wants(ENDED, quiet=all_but_an_hour(utc_now()))
    await stage.over(*(pushed(number) for number in range(1, MOST_HELD + 6)))
    await stage.over(pushed(1, "success", 2), pushed(50, "success", 2))
    await stage.notices.goes_on(pushed(51, "running", 2))
    assert len(await stage.store.notices.held(ADA)) == MOST_HELD - 1
    await stage.wants(ENDED)
    await stage.later()
    await stage.later()
    (summary,) = stage.told()
    assert f"{MOST_HELD + 4} builds of yours ended" in summary.visible
    assert f"and {MOST_HELD + 4 - 20} more" in summary.visible
    assert (await stage.store.notices.held_ids(ADA), await stage.store.notices.holding()) == ([], set())


def all_but_an_hour(now: datetime) -> Quiet:
    """Return hours that are quiet at this moment, and for a while."""
    minute = now.hour * 60 + now.minute
    return Quiet(begins=(minute - 60) % 1440, ends=(minute + 600) % 1440)


async def test_who_may_not_look_at_it_any_more_is_told_nothing(stage: Stage) -> None:
    await stage.wants(ENDED, quiet=all_but_an_hour(utc_now()))
    await stage.over(pushed(1))
    stage.door.denied = {(ADA, READ)}
    await stage.wants(ENDED, WAITING)
    await stage.later()
    for _ in range(MOST_DENIALS - 1):
        assert await stage.notices.over(pushed(2))
    await stage.over(pushed(2))
    await stage.notices.goes_on(holding(3, "hold-prod"))
    assert not stage.told()
    assert await stage.store.notices.get(ADA)


async def test_what_was_held_in_quiet_hours_waits_for_slack_to_say_who_somebody_is(stage: Stage) -> None:
    await stage.wants(ENDED, quiet=all_but_an_hour(utc_now()))
    await stage.over(pushed(1), pushed(2, "success"))
    await stage.wants(ENDED)
    stage.door.denied = {(ADA, READ)}
    for _ in range(MOST_DENIALS - 1):
        await stage.later()
    assert not stage.told()
    stage.door.denied.clear()
    await stage.later()
    await stage.later()
    assert ["2 builds of yours ended" in one.visible for one in stage.told()] == [True]
    assert not await stage.store.notices.holding()


async def test_what_is_denied_for_good_is_held_no_longer(stage: Stage) -> None:
    await stage.wants(ENDED, quiet=all_but_an_hour(utc_now()))
    await stage.over(pushed(1))
    await stage.wants(ENDED)
    stage.door.denied = {(ADA, READ)}
    for _ in range(MOST_DENIALS):
        await stage.later()
    stage.door.denied.clear()
    await stage.later()
    assert (stage.told(), await stage.store.notices.holding()) == ([], set())


async def test_what_waited_before_somebody_asked_for_that_is_no_news(stage: Stage) -> None:
    old = holding(1, "hold-prod")
    later = old.model_copy(update={"read_at": old.read_at + timedelta(days=12)})
    await stage.wants(WAITING, since=utc_now() - HOUR)
    await stage.wants(WAITING, person=GRACE, since=utc_now() - timedelta(days=20), waiting_since=utc_now() - HOUR)
    grace = holding(2, "hold-prod", by="octo-grace").model_copy(update={"read_at": later.read_at})
    for one in (later, grace):
        await stage.notices.goes_on(one)
    assert stage.told() == stage.told(GRACE) == []
    for one in (old, holding(2, "hold-prod", by="octo-grace")):
        soon = one.model_copy(update={"read_at": one.runs[0].workflow.created_at + timedelta(minutes=1)})
        await stage.notices.goes_on(soon)
    assert [len(stage.told()), len(stage.told(GRACE))] == [1, 1]


@pytest.mark.parametrize(("code", "tries"), [("cannot_dm_bot", 1), ("user_disabled", 1), ("odd", MOST_REFUSALS)])
async def test_where_slack_takes_no_direct_message_it_ends_and_the_operator_hears_of_it_once(
    stage: Stage, code: str, tries: int
) -> None:
    await stage.wants(ENDED)
    stage.slack.refuse("chat.postMessage", code, times=tries)
    for _ in range(tries - 1):
        assert await stage.notices.over(pushed(1))
    await stage.over(pushed(1), pushed(2))
    assert (await stage.store.notices.any(), stage.told()) == (False, [])
    (told,) = stage.slack.workspace.channel("releases").messages
    assert code in told.text
    assert "ada" in told.text


async def test_who_has_left_is_told_nothing_any_more(stage: Stage) -> None:
    await stage.wants(ENDED)
    stage.door.denied = {(ADA, READ)}
    stage.slack.workspace.users[ADA].deleted = True
    await stage.over(pushed(1))
    assert not await stage.store.notices.any()
    assert len(stage.slack.workspace.channel("releases").messages) == 1


async def test_what_slack_does_not_take_for_now_is_tried_again(stage: Stage) -> None:
    await stage.wants(ENDED)
    stage.slack.refuse("chat.postMessage", "internal_error")
    assert await stage.notices.over(pushed(1))
    await stage.over(pushed(1))
    assert len(stage.told()) == 1


async def test_a_message_that_is_gone_is_made_anew(stage: Stage) -> None:
    await stage.wants(ENDED)
    await stage.over(pushed(1))
    stage.slack.refuse("chat.update", "message_not_found")
    await stage.over(pushed(1, "success", 2))
    assert [one[:9] for one in stage.heads()] == ["*❌ Failed", "*✅ Passed"]


async def test_what_had_ended_before_they_wanted_it_is_no_news(stage: Stage) -> None:
    await stage.wants(ENDED, since=utc_now() - HOUR)
    old = pushed(1)
    await stage.over(old.model_copy(update={"read_at": old.read_at + 2 * HOUR}), pushed(2))
    assert len(stage.told()) == 1


@pytest.mark.parametrize(
    ("quiet", "zone", "moment", "is_quiet"),
    [
        ((22, 7), "", "2026-11-20T22:00:00+00:00", True),
        ((22, 7), "", "2026-11-20T06:59:59+00:00", True),
        ((22, 7), "", "2026-11-20T07:00:00+00:00", False),
        ((22, 7), "", "2026-11-20T21:59:00+00:00", False),
        ((9, 17), "", "2026-11-20T12:00:00+00:00", True),
        ((9, 17), "", "2026-11-20T17:00:00+00:00", False),
        ((22, 7), "America/New_York", "2026-11-20T11:30:00+00:00", True),  # 6:30
        ((22, 7), "America/New_York", "2026-07-20T11:30:00+00:00", False),  # 7:30, in summer
        ((22, 7), "Nowhere/At_All", "2026-11-20T23:00:00+00:00", True),
    ],
)
async def test_hours_are_those_of_the_persons_own_zone(
    stage: Stage, quiet: tuple[int, int], zone: str, moment: str, is_quiet: bool
) -> None:
    hours = Quiet(begins=quiet[0] * 60, ends=quiet[1] * 60)
    notice = await stage.wants(ENDED, quiet=hours, zone=zone)
    assert notice.is_quiet(datetime.fromisoformat(moment)) is is_quiet
    assert zone_named("Nowhere/At_All").key == "UTC"
