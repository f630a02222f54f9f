"""Stories of agents: what they ask for waits for people, is done once, and is followed to its end."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.agents.acts import claim_of
from bot.agents.desk import Desk, caller_of
from bot.agents.following import Following
from bot.agents.shapes import Reply
from bot.agents.tools import Follow, request_of, tools
from bot.intents.reading import reader_of
from bot.models.agent import Agent
from bot.models.caller import Caller
from bot.models.slack import utc_now
from bot.operations import by_itself
from bot.settings import Projects
from bot.waits import is_polite
from formatters.links import Links
from playground.slack.conversations import Message
from tests.agents.asking import REASON, agent_of, asks, calls, follows_to_the_end
from tests.agents.listing import ROUTER
from tests.operations.agents import deployment
from tests.operations.scene import fills_in, opens, record, said, types
from tests.stories.team import WORLD_SECONDS_PER_SECOND, Team, bot_at_work, far_sides, keys_of, team_at_work

SECOND = """
[[rules]]
name = "members deploy"
roles = ["members"]
words = ["read", "deploy", "rerun", "cancel"]

[[rules]]
name = "production needs a second person"
effect = "demand"
words = ["deploy"]
branches = ["main"]
second_person = true
"""
AGREE = "Agree and deploy"


async def request(team: Team) -> Message:
    """Wait for what stands in the channel to be pressed."""
    return (await team.slack.wait_for(lambda: requests(team), timeout=30))[-1]


def requests(team: Team, label: str = AGREE) -> list[Message]:
    """Return all that stand."""
    return [one for one in team.deploys.roots if any(name.startswith(label) for name in one.buttons)]


async def test_a_deploy_is_asked_pressed_by_a_person_and_followed_to_its_verdict(team: Team) -> None:
    agent = await agent_of(team)
    told = await asks(team, agent, "deploy", project="acme/frontend", branch="release/v2.0")
    assert told["state"] == "waiting for a person"
    assert (told["act"], told["quoted_project"], told["quoted_branch"]) == ("deploy", "acme/frontend", "release/v2.0")
    assert not told["finished"]
    asked = await request(team)
    assert told["at"].endswith(asked.ts.replace(".", ""))
    assert REASON in asked.visible
    assert team.posts("/pipeline") == []
    (kept,) = await record(team)
    assert (kept.outcome, kept.reason, kept.result) == ("asked", REASON, "somebody was asked to agree")
    follow = asyncio.create_task(calls(team, agent, "follow", of=told["of"], wait=30))
    await team.ada.click(asked, AGREE)
    assert (await follow).data["state"] != "waiting for a person"
    end = await follows_to_the_end(team, agent, told["of"])
    assert end["state"] == "failed"
    assert (end["pipeline"], end["quoted_agreed_by"]) == (2417, "ada")
    assert "triage" in end
    assert len(team.posts("/pipeline")) == 1
    entries = [one for one in await record(team) if one.what.startswith("deploy")]
    assert [(one.agent, one.outcome) for one in entries] == [("laptop", "asked"), ("laptop", "done")]


async def test_it_asks_in_the_name_that_its_owner_has_by_now(team: Team) -> None:
    agent = await agent_of(team, "desk", "grace", owner_name="ada")
    await asks(team, agent, "deploy", project="acme/frontend", branch="try/green")
    shown = (await request(team)).visible
    listed = said(await types(team, team.grace, "agents"))
    assert "desk, for grace," in shown
    assert "for grace" in listed
    assert "ada" not in f"{shown}{listed}".replace("made", "")
    assert {one.user_name for one in await record(team)} == {"grace"}


async def test_a_call_whose_answer_was_lost_finds_the_first(team: Team) -> None:
    agent, wanted = await agent_of(team), {"project": "acme/frontend", "branch": "main"}
    several = await asyncio.gather(*(asks(team, agent, "deploy", **wanted) for _ in range(3)))
    assert len({one["of"] for one in several}) == 1
    assert sum("repeated" not in one for one in several) == 1
    again = await asks(team, agent, "deploy", reason="said otherwise", **wanted)
    assert again["repeated"] is True
    assert len(requests(team)) == 1
    await team.ada.click(await request(team), AGREE)
    await follows_to_the_end(team, agent, several[0]["of"])
    after = await asks(team, agent, "deploy", **wanted)
    assert (after["of"], after["state"], after["repeated"]) == (several[0]["of"], "passed", True)
    assert len(team.posts("/pipeline")) == 1


SPELLED = Projects(projects={"web": {"slug": "gh/acme/frontend"}})
LAPTOP = Caller(person_id="U0ADA", agent="laptop", agent_since=utc_now(), delivery_id="mcp:1")
LATER = LAPTOP.model_copy(update={"agent_since": utc_now() + timedelta(seconds=1)})
OF_BUILD = "https://app.circleci.com/pipelines/github/acme/frontend/2417"


@pytest.mark.parametrize(
    ("tool", "first", "other", "is_same"),
    [
        ("deploy", {"project": "acme/frontend"}, {"project": "gh/acme/frontend"}, True),
        ("deploy", {"project": "web", "branch": "main"}, {"project": "GitHub/ACME/Frontend", "branch": "main"}, True),
        ("rerun", {"project": OF_BUILD}, {"project": "acme/frontend", "pipeline": "2417"}, True),
        ("cancel", {"project": "web"}, {"project": "https://github.com/acme/frontend"}, True),
        ("deploy", {"project": "web", "branch": "v2"}, {"project": "web", "tag": "v2"}, False),
        ("deploy", {"project": "web", "branch": "main"}, {"project": "web", "branch": "Main"}, False),
        ("deploy", {"project": "web"}, {"project": "web", "parameters": {"env": "prod"}}, False),
        ("rerun", {"project": "web"}, {"project": "web", "everything": True}, False),
        ("rerun", {"project": OF_BUILD}, {"project": "web", "pipeline": 2418}, False),
    ],
)
def test_the_same_act_is_one_however_it_is_spelled(
    tool: str, first: dict[str, Any], other: dict[str, Any], is_same: bool
) -> None:
    command = tools(ROUTER)[tool]
    one, two, of_a_later_agent = (
        claim_of(caller, tool, request_of(command, {"reason": REASON, **given}), "", SPELLED)
        for caller, given in ((LAPTOP, first), (LAPTOP, other), (LATER, first))
    )
    assert (one == two) is is_same
    assert of_a_later_agent not in (one, two)


async def test_another_agent_asks_for_itself_and_hears_of_what_stands(team: Team) -> None:
    first, second = await agent_of(team), await agent_of(team, "desktop", "grace")
    told = await asks(team, first, "deploy", project="acme/frontend", branch="main")
    refused = await calls(team, second, "deploy", project="acme/frontend", branch="main", reason=REASON)
    assert refused.is_error
    assert "laptop" in refused.data["quoted_by"]
    ((_, way),) = [(one["tool"], one["arguments"]) for one in refused.data["next"]]
    assert way == {"of": told["of"]}
    assert (await calls(team, second, "follow", **way, wait=0)).data["state"] == "waiting for a person"


async def test_where_two_are_needed_the_owner_is_not_one_of_them(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text(SECOND)
    async with team_at_work(tmp_path / "data", policy_file=tmp_path / "policy.toml") as team:
        agent = await agent_of(team)
        told = await asks(team, agent, "deploy", project="acme/frontend", branch="main")
        assert told["state"] == "waiting for a second person"
        asked = await request(team)
        await team.ada.click(asked, AGREE)
        await team.is_done()
        assert team.posts("/pipeline") == []
        view = await opens(team, team.grace, asked, "Decline")
        await fills_in(team.grace, view, reason="wait for the migration")
        end = await follows_to_the_end(team, agent, told["of"])
        assert (end["state"], end["quoted_by"]) == ("declined", "grace")
        assert "wait for the migration" in end["quoted_end"]
        assert (await asks(team, agent, "deploy", project="acme/frontend", branch="main"))["state"] == "declined"


async def test_nobody_decides_and_it_is_over(tmp_path: Path) -> None:
    async with team_at_work(tmp_path, approval_minutes=0.01) as team:
        agent = await agent_of(team)
        told = await asks(team, agent, "deploy", project="acme/frontend", branch="main")
        assert (await follows_to_the_end(team, agent, told["of"]))["state"] == "expired"


async def test_what_was_refused_and_did_nothing_may_be_asked_anew(team: Team) -> None:
    agent, wanted = await agent_of(team), {"project": "acme/frontend", "branch": "main", "reason": REASON}
    await team.grace.command("deploys", "/ci", "lock acme/frontend main freeze")
    await team.is_done()
    refused = await calls(team, agent, "deploy", **wanted)
    assert refused.is_error
    assert refused.data["quoted_holder"] == "grace"
    await team.grace.command("deploys", "/ci", "unlock acme/frontend main")
    await team.is_done()
    assert (await asks(team, agent, "deploy", **wanted))["state"] == "waiting for a person"


async def test_an_agent_that_was_removed_hears_and_does_nothing_more(team: Team) -> None:
    agent = await agent_of(team)
    told = await asks(team, agent, "deploy", project="acme/frontend", branch="main")
    await team.app.store.agents.remove(agent)
    for tool, given in (
        ("follow", {"of": told["of"]}),
        ("status", {"project": "acme/frontend"}),
        ("deploy", {"project": "acme/frontend", "branch": "main", "reason": REASON}),
    ):
        assert (await calls(team, agent, tool, **given)).is_error


async def test_a_follower_waits_for_news_and_circleci_is_asked_nothing(team: Team) -> None:
    team.time_stands_still()
    agent = await agent_of(team)
    told = await asks(team, agent, "deploy", project="acme/frontend", branch="main")
    before = len(team.circleci.requests)
    same = await asyncio.gather(*(calls(team, agent, "follow", of=told["of"], wait=1) for _ in range(20)))
    assert {one.data["mark"] for one in same} == {told["mark"]}
    assert len(team.circleci.requests) == before
    other = (await calls(team, agent, "follow", of=told["of"], wait=30, since="another")).data
    assert other["mark"] == told["mark"]


async def test_of_all_who_follow_to_the_end_one_has_it_judged(team: Team) -> None:
    agent = await agent_of(team)
    told = await asks(team, agent, "deploy", project="acme/frontend", branch="release/v2.0")
    await team.ada.click(await request(team), AGREE)
    await team.reads("There are no earlier builds")
    one = (await calls(team, agent, "follow", of=told["of"], wait=30)).data
    while not one["finished"]:
        one = (await calls(team, agent, "follow", of=told["of"], wait=30)).data
    team.time_stands_still()
    before = len(team.circleci.requests)
    followers = [await agent_of(team, f"agent-{number}") for number in range(10)]
    ends = await asyncio.gather(*(calls(team, each, "follow", of=told["of"]) for each in followers))
    assert all(end.data["triage"] == one["triage"] for end in ends)
    judged = [seen.path for seen in team.circleci.requests[before:] if "workflow" not in seen.path]
    assert judged == []


async def test_a_build_that_a_thread_follows_is_followed_by_its_number(team: Team) -> None:
    agent = await agent_of(team)
    await team.deploys_branch("main")
    await team.reads("Passed in")
    found = (await calls(team, agent, "follow", project="acme/frontend", pipeline=2417)).data
    assert (found["state"], found["finished"]) == ("passed", True)
    link = "https://app.circleci.com/pipelines/github/acme/frontend/2417"
    assert (await calls(team, agent, "follow", project=link)).data["of"] == found["of"]
    unknown = await calls(team, agent, "follow", project="acme/frontend", pipeline=7)
    assert unknown.is_error
    assert [(one["tool"], one["arguments"]["pipeline"]) for one in unknown.data["next"]] == [("status", 7)]
    assert (await calls(team, agent, "follow", project="acme/frontend")).is_error


async def test_what_is_offered_next_works_for_whoever_is_told_it(team: Team) -> None:
    agent, reads = await agent_of(team), await agent_of(team, "reader", words=("read",))
    team.time_stands_still()
    pushed = team.circleci.world.trigger("gh/acme/frontend", branch="try/slow", parameters={})
    team.circleci.world.clock.advance(timedelta(seconds=5))
    named = {"project": "gh/acme/frontend", "pipeline": pushed.number}
    told = (await calls(team, agent, "status", **named)).data
    assert [one["tool"] for one in told["next"]] == ["status", "cancel"]
    look, act = told["next"]
    assert not (await calls(team, agent, "status", **look["arguments"])).is_error
    assert act["add"] == "reason"
    assert (await asks(team, agent, "cancel", **act["arguments"]))["state"] == "waiting for a person"
    for who, readonly in ((reads, False), (agent, True)):
        reply = await team.app.desk.call(who, "status", named, readonly=readonly)
        assert [one["tool"] for one in reply.data["next"]] == ["status"]
        found = await team.app.desk.call(who, "find", {"intent": "cancel the build"}, readonly=readonly)
        assert "cancel" not in [one["tool"] for one in found.data["tools"]]
        assert found.data["only_people"][0]["command"] == "cancel"


async def test_it_is_pressed_after_the_process_that_asked_has_died(tmp_path: Path) -> None:
    async with far_sides(speed=WORLD_SECONDS_PER_SECOND) as (circleci, slack):
        async with bot_at_work(circleci, slack, tmp_path) as team:
            agent, wanted = await agent_of(team), {"project": "acme/frontend", "branch": "main"}
            told = await asks(team, agent, "deploy", **wanted)
        async with bot_at_work(circleci, slack, tmp_path) as team:
            assert (await asks(team, agent, "deploy", **wanted))["of"] == told["of"]
            await team.ada.click(await request(team), AGREE)
            assert (await follows_to_the_end(team, agent, told["of"]))["state"] == "passed"


async def test_what_a_process_died_over_is_carried_out_under_the_same_name(team: Team) -> None:
    agent, wanted = await agent_of(team), {"project": "acme/frontend", "branch": "main"}
    answers = asyncio.Event()
    team.circleci.faults.add("GET", "*/project/gh/acme/frontend", until=answers)
    dies = asyncio.create_task(asks(team, agent, "deploy", **wanted))
    await team.until(lambda: [one for one in team.circleci.requests if one.path.endswith("/acme/frontend")])
    dies.cancel()
    await asyncio.wait({dies})
    kept = [key for key in await keys_of(team.app) if key.startswith("agent-asked:")]
    answers.set()
    told = await asks(team, agent, "deploy", **wanted)
    assert "repeated" not in told
    assert kept == [f"agent-asked:{told['of']}"]
    assert len(requests(team)) == 1


ALONE = """
[[rules]]
name = "everybody reads"
roles = ["everyone"]
words = ["read"]

[[rules]]
name = "members"
roles = ["members"]
words = ["deploy", "rerun", "cancel"]
agents_alone = true
"""


async def test_where_a_rule_lets_it_an_agent_acts_alone_and_follows(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text(ALONE)
    async with team_at_work(tmp_path / "data", policy_file=tmp_path / "policy.toml") as team:
        agent = await agent_of(team)
        told = await asks(team, agent, "deploy", project="acme/frontend", branch="release/v2.0")
        assert told["pipeline"] == 2417
        assert (await follows_to_the_end(team, agent, told["of"]))["state"] == "failed"
        again = await asks(team, agent, "rerun", project="acme/frontend", pipeline=2417, everything=True)
        assert again["state"] in ("started", "running")
        assert (await follows_to_the_end(team, agent, again["of"]))["state"] == "passed"
        repeated = await asks(team, agent, "rerun", project="acme/frontend", branch="release/v2.0", everything=True)
        assert (repeated["repeated"], repeated["of"]) == (True, again["of"])
        team.time_stands_still()
        caller = Caller(person_id=agent.owner_id, agent=agent.name, agent_since=agent.made_at, delivery_id="mcp:dead")
        died = by_itself.claim_of(caller, deployment("try/slow"))  # a process, over the same act by another spelling
        await team.app.store.claims.claim(died, caller.delivery_id)
        other = await asks(team, agent, "deploy", project="acme/frontend", branch="try/slow")
        assert other["of"] == "mcp:dead"
        team.circleci.world.clock.advance(timedelta(seconds=5))
        stopped = await asks(team, agent, "cancel", project="acme/frontend", pipeline=other["pipeline"])
        team.time_flies()
        assert (await follows_to_the_end(team, agent, stopped["of"]))["state"] == "canceled"
        assert requests(team) == []
        assert (len(team.posts("/pipeline")), len(team.posts("/rerun"))) == (2, 2)


async def test_nobody_is_asked_more_than_three_things_at_a_time(team: Team) -> None:
    agent = await agent_of(team)
    names = ("acme/frontend", "acme/backend", "acme/cli")
    several = [await asks(team, agent, "deploy", project=name, branch="main") for name in names]
    refused = await calls(team, agent, "deploy", project="acme/frontend", branch="try/slow", reason=REASON)
    assert refused.is_error
    assert len(requests(team)) == len(several) == 3
    waiting = [one["of"] for one in several]
    assert [one["arguments"]["of"] for one in refused.data["next"]] == waiting
    listed = (await calls(team, agent, "follow")).data
    assert [(one["of"], one["act"]) for one in listed["waiting_for_people"]] == [(one, "deploy") for one in waiting]
    other = await agent_of(team, "desktop", "grace")
    assert (await calls(team, other, "follow")).data["waiting_for_people_in_all"] == 0
    await team.runs("try/slow")
    stopped = await asks(team, agent, "cancel", project="acme/frontend", branch="try/slow")
    assert stopped["state"] == "waiting for a person"  # what is to be stopped waits for nothing
    again = await asks(team, agent, "deploy", project="acme/cli", branch="main")
    assert again["repeated"] is True


async def test_nor_is_anybody_by_calls_of_the_same_moment(team: Team) -> None:
    agent = await agent_of(team)
    several = [{"parameters": {"number": number}} for number in range(4)] + [{"branch": "try/slow"}]
    wanted = {"project": "acme/frontend", "branch": "main", "reason": REASON}
    replies = await asyncio.gather(*(calls(team, agent, "deploy", **{**wanted, **more}) for more in several))
    assert [one.is_error for one in replies].count(False) == len(requests(team)) == 3
    assert all("wait for people" in one.text for one in replies if one.is_error)


async def test_nor_are_people_by_all_agents_of_one_person_together(team: Team) -> None:
    agents = [await agent_of(team, f"laptop-{number}") for number in range(5)]
    wanted = [(agent, {"of": f"{agent.name}-{number}"}) for number in range(3) for agent in agents]

    async def wants(agent: Agent, parameters: dict[str, str]) -> Reply:
        return await calls(
            team, agent, "deploy", project="acme/frontend", branch="main", parameters=parameters, reason=REASON
        )

    replies = await asyncio.gather(*(wants(*one) for one in wanted))
    assert [one.is_error for one in replies].count(False) == len(requests(team)) <= 12
    replies += [await wants(*one) for one in wanted]
    assert len(requests(team)) == 12
    assert any("12 requests of your owner's agents" in one.text for one in replies)
    assert not (await wants(await agent_of(team, "desktop", "grace"), {})).is_error


async def test_what_is_asked_back_did_nothing_and_may_be_asked_again(team: Team) -> None:
    agent = await agent_of(team)
    await team.deploys_branch("main")
    await team.reads("Passed in")
    for _ in range(2):
        asked = {"project": "acme/frontend", "pipeline": 2417, "reason": REASON}
        told = await calls(team, agent, "rerun", **asked)
        assert told.is_error
        assert not {"of", "repeated"} & told.data.keys()
        assert [*told.data["next"][0]] == ["person"]  # what passed runs again by a person alone
    assert team.posts("/rerun") == []


async def test_who_waits_for_a_refusal_asks_for_itself(team: Team) -> None:
    agent, wanted = await agent_of(team), {"project": "acme/frontend", "branch": "main", "reason": REASON}
    await team.grace.command("deploys", "/ci", "lock acme/frontend main freeze")
    await team.is_done()
    several = await asyncio.gather(*(calls(team, agent, "deploy", **wanted) for _ in range(3)))
    assert all(one.is_error and "locked" in one.text for one in several)


async def test_what_was_asked_and_not_noted_is_noted_by_the_next_call(team: Team) -> None:
    agent, wanted, store = await agent_of(team), {"project": "acme/frontend", "branch": "main"}, team.app.store.asked
    told = await asks(team, agent, "deploy", **wanted)
    asked = await store.get(told["of"])
    assert asked is not None
    await store.save(asked.model_copy(update={"stands": False, "who": (), "url": ""}))
    again = await asks(team, agent, "deploy", **wanted)
    assert (again["at"], again["who"], again["repeated"]) == (told["at"], told["who"], True)


async def test_a_call_ends_in_time_however_long_it_is_asked_to_wait(team: Team) -> None:
    agent = await agent_of(team)
    told = await asks(team, agent, "deploy", project="acme/frontend", branch="main")
    paused = list[float]()

    async def pause(seconds: float) -> None:
        paused.append(seconds)

    following = Following(team.app.desk._context, Links(), pause=pause, clock=lambda: sum(paused))
    state = await following.follow(Follow(of=told["of"], wait=45), caller_of(agent, {}))
    assert state.data["mark"] == told["mark"]
    assert 37.9 < sum(paused) <= 38.1


async def test_a_verdict_that_cannot_be_read_is_said_and_asked_for_anew(team: Team) -> None:
    agent = await agent_of(team)
    told = await asks(team, agent, "deploy", project="acme/frontend", branch="release/v2.0")
    await team.ada.click(await request(team), AGREE)
    await team.reads("There are no earlier builds")
    team.circleci.faults.add("GET", "*", status=503, times=None)
    end = await follows_to_the_end(team, agent, told["of"])
    assert "ask `triage`" in end["triage"]["note"]
    team.circleci.faults.clear()
    assert "note" not in (await calls(team, agent, "follow", of=told["of"])).data["triage"]


async def test_the_first_question_in_words_holds_nobody_up(team: Team) -> None:
    agent, gaps = await agent_of(team), list[float]()

    async def ticks() -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0)
            gaps.append(time.monotonic() - began)

    reader_of.cache_clear()
    ticking, began = asyncio.create_task(ticks()), time.monotonic()
    await calls(team, agent, "find", intent="why is it red")
    took = time.monotonic() - began
    await asyncio.sleep(0)
    ticking.cancel()
    assert max(gaps) < took / 2


READS_NOTHING = """
[roles.lookers]
users = ["U0GRACE"]

[[rules]]
name = "lookers"
roles = ["lookers"]
words = ["read", "deploy"]

[[rules]]
name = "members look elsewhere"
roles = ["members"]
words = ["read", "rerun"]
projects = ["acme/cli"]

[[rules]]
name = "members ship what they may not look at"
roles = ["members"]
words = ["deploy"]
"""


async def test_what_another_found_out_is_told_to_nobody_who_may_not_look(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text(READS_NOTHING)
    async with team_at_work(tmp_path / "data", policy_file=tmp_path / "policy.toml") as team:
        looks, asks_alone = await agent_of(team, "desktop", "grace"), await agent_of(team)
        told = await asks(team, looks, "deploy", project="acme/frontend", branch="release/v2.0")
        await team.grace.click(await request(team), AGREE)
        found = (await follows_to_the_end(team, looks, told["of"]))["triage"]
        kept = await team.app.store.asked.get(told["of"])
        assert kept is not None
        theirs = {"agent": asks_alone.name, "agent_since": asks_alone.made_at, "owner_id": asks_alone.owner_id}
        await team.app.store.asked.save(kept.model_copy(update=theirs))
        end = (await calls(team, asks_alone, "follow", of=told["of"])).data
        assert (end["state"], end["triage"]) == ("failed", {"note": "What failed is not for your owner to look at."})
        assert "note" not in found
        offered = [
            (await calls(team, who, "rerun", project="acme/frontend", branch="release/v2.0", reason=REASON)).data
            for who in (looks, asks_alone)
        ]
        assert [len(one.get("next", ())) for one in offered] == [1, 0]  # `may` says who could to who may look


async def test_what_nobody_expected_is_answered_with_where_it_is_in_the_log(team: Team) -> None:
    def breaks(_: str) -> bool:
        raise ZeroDivisionError

    desk = team.app.desk
    broken = Desk(desk._context, desk._record, Links(), breaks)
    reply = await broken.call(await agent_of(team), "deploy", {"project": "acme/frontend", "reason": REASON})
    assert reply.is_error
    assert reply.data["reference"] in reply.text


async def test_all_that_is_done_for_an_act_lets_people_go_first(team: Team) -> None:
    polite = list[bool]()

    def looks_polite(_: str) -> bool:
        polite.append(is_polite())
        return False

    desk = team.app.desk
    desk = Desk(desk._context, desk._record, Links(), looks_polite)
    await desk.call(await agent_of(team), "deploy", {"project": "acme/frontend", "reason": REASON})
    assert polite
    assert all(polite)
    assert not is_polite()


async def test_what_to_follow_is_named_in_one_way(team: Team) -> None:
    agent = await agent_of(team)
    for given in ({"of": "mcp:1", "project": "acme/frontend", "pipeline": 1}, {"of": "mcp:1"}, {"project": "acme/cli"}):
        assert (await calls(team, agent, "follow", **given)).is_error


async def test_too_many_calls_are_told_when_to_come_back(tmp_path: Path) -> None:
    async with team_at_work(tmp_path, agent_calls_per_minute=3) as team:
        agent = await agent_of(team)
        replies = [await calls(team, agent, "find", intent="why is it red") for _ in range(8)]
        late = [one.data for one in replies if one.is_error]
        assert late
        assert all("more than 3 calls" in one["what"] and one["try_again_in_seconds"] <= 60 for one in late)
        assert not (await calls(team, await agent_of(team, "desktop"), "find", intent="why is it red")).is_error


async def test_the_address_that_only_reads_knows_no_acts(team: Team) -> None:
    agent = await agent_of(team)
    desk, wanted = team.app.desk, {"project": "acme/frontend", "reason": REASON}
    assert {one.name for one in desk.shapes()} - {one.name for one in desk.shapes(readonly=True)} == {
        "deploy", "rerun", "cancel",
    }  # fmt: skip
    assert (await desk.call(agent, "deploy", wanted, readonly=True)).is_error
    assert (await desk.call(agent, "rm_rf", {})).is_error


@pytest.mark.parametrize("given", ["frontend", "acme/frontnd", "gh/acme/Frontned"])
async def test_a_project_that_is_none_is_answered_with_the_one_that_is_meant(team: Team, given: str) -> None:
    agent = await agent_of(team)
    refused = await calls(team, agent, "status", project=given, branch="main")
    assert refused.is_error
    (way,) = refused.data["next"]
    assert way["arguments"] == {"project": "gh/acme/frontend", "branch": "main"}


async def test_an_agent_of_words_to_read_cannot_ask(team: Team) -> None:
    agent = await agent_of(team, words=("read",))
    refused = await calls(team, agent, "deploy", project="acme/frontend", branch="main", reason=REASON)
    assert refused.is_error
    assert [one.outcome for one in await record(team)] == ["refused"]
