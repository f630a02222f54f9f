"""Two people, one branch: who deploys what somebody else's deploy still builds is told whose it is, and asked."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.actions import RerunFailed
from bot.models.circleci import ProjectSlug, Ref
from bot.models.slack import utc_now
from bot.watching.engine import LOOK_FOR
from tests.one_redis import server_is
from tests.operations.scene import (
    FRONTEND,
    ON_HOLD,
    OVER,
    RUNNING,
    again_until,
    fills_in,
    goes_by,
    opens,
    presses,
    pulls_forward,
    pushed,
    said,
    somewhere,
    team_under,
    types,
    writes,
)
from tests.stories.team import Team

AGAIN = "Deploy it all the same"
LIST = "/api/v2/project/gh/acme/frontend/pipeline"


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_under("", tmp_path) as team:
        yield team


async def test_a_second_deploy_says_whose_runs_and_asks_and_goes_out_once(team: Team) -> None:
    await types(team, team.ada, "deploy acme/frontend release/v2.0")
    goes_by(team, RUNNING)
    (asked,) = await types(team, team.grace, "deploy acme/frontend release/v2.0")
    assert "@ada deployed acme/frontend release/v2.0 as #2417 (asked for: " in asked.visible
    assert asked.buttons == [AGAIN, "Open #2417"]
    assert len(writes(team)) == 1
    # The same question, asked twice, is one; its owner alone answers it, and a different branch is nobody's business.
    (same,) = await types(team, team.grace, "deploy acme/frontend release/v2.0")
    assert same.element(AGAIN)["value"] == asked.element(AGAIN)["value"]
    assert "Only who asked for it" in said(await presses(team, team.ada, somewhere(team), asked.element(AGAIN)))
    assert await types(team, team.grace, "deploy acme/frontend main") == []
    assert await presses(team, team.grace, asked, AGAIN) == []
    told = said(await presses(team, team.grace, same, AGAIN))
    assert "You answered this already" in told or "was first" in told
    assert len(writes(team)) == 3


async def test_a_deploy_of_which_circleci_shows_nothing_in_an_outage_is_not_given_up_and_is_found_after_it(
    team: Team,
) -> None:
    team.circleci.faults.add("POST", "*/pipeline", drop="after", until=(lost := asyncio.Event()))
    await team.ada.command("deploys", "/ci", "deploy acme/frontend main")
    await team.until(lambda: writes(team))
    team.circleci.faults.add("GET", "/api/v2/*", status=503, times=None)
    lost.set()
    told = "It answers no look either, so I cannot tell whether it began. I go on looking"
    await again_until(lambda: pulls_forward(team, LOOK_FOR), lambda: told in said(team.ada.sees_only))
    team.circleci.faults.clear()
    (asked,) = await types(team, team.grace, "deploy acme/frontend main")
    assert asked.buttons[0] == AGAIN
    await again_until(lambda: pulls_forward(team, LOOK_FOR), lambda: team.deploys.roots)
    assert "asked by ada" in team.deploys.roots[0].visible
    assert "never took effect" not in said(team.ada.sees_only)
    assert len(writes(team)) == 1


async def test_a_deploy_that_was_begun_since_the_question_is_asked_about_anew(team: Team) -> None:
    admin = team.slack.person("admin")
    await types(team, team.ada, "deploy acme/frontend release/v2.0")
    goes_by(team, RUNNING)
    (asked,) = await types(team, team.grace, "deploy acme/frontend release/v2.0")
    (other,) = await types(team, admin, "deploy acme/frontend release/v2.0 env=prod")
    assert await presses(team, team.grace, asked, AGAIN) == []
    (anew,) = await presses(team, admin, other, AGAIN)
    assert "@grace deployed acme/frontend release/v2.0 as #2418" in anew.visible
    assert len(writes(team)) == 2
    assert "too old" in said(await presses(team, admin, other, AGAIN))
    assert await presses(team, admin, anew, AGAIN) == []
    assert len(writes(team)) == 3


async def test_how_young_a_deploy_is_counts_on_the_clock_that_all_share(team: Team) -> None:
    answered = asyncio.Event()
    team.circleci.faults.add("POST", "*/pipeline", until=answered)
    server_is(team.app.store, timedelta(minutes=15))  # the clock of this host is that much behind
    await team.ada.command("deploys", "/ci", "deploy acme/frontend main")
    await team.until(lambda: writes(team))
    (mine,) = await team.app.store.attempts.lately_of(ProjectSlug(FRONTEND), Ref(name="main"))
    attempt = await team.app.store.attempts.get(mine)
    assert attempt is not None
    assert attempt.asked_at - utc_now() > timedelta(minutes=14)
    answered.set()
    await team.is_done()


async def test_one_that_is_on_its_way_counts_and_one_that_was_refused_does_not(team: Team) -> None:
    answered = asyncio.Event()
    team.circleci.faults.add("POST", "*/pipeline", until=answered)
    await team.ada.command("deploys", "/ci", "deploy acme/frontend main env=prod")
    await team.until(lambda: writes(team))
    await team.grace.command("deploys", "/ci", "deploy acme/frontend main")
    asked = await team.is_told(team.grace, "@ada asked for a deploy of acme/frontend main with `env=prod` (")
    assert asked.buttons == [AGAIN]
    answered.set()
    await team.is_done()
    team.circleci.faults.add("POST", "*/pipeline", status=403, body={"message": "Plan is suspended."})
    assert "Plan is suspended" in said(await types(team, team.ada, "deploy acme/frontend hold/prod"))
    assert await types(team, team.grace, "deploy acme/frontend hold/prod") == []


HIDDEN = """
[roles.outsiders]
users = ["U0GRACE"]

[[rules]]
name = "members deploy"
roles = ["members"]
words = ["read", "deploy"]

[[rules]]
name = "not hers to see"
effect = "deny"
roles = ["outsiders"]
words = ["read"]
"""


async def test_who_may_not_look_is_not_told_whose_it_is(tmp_path: Path) -> None:
    async with team_under(HIDDEN, tmp_path) as team:
        await types(team, team.ada, "deploy acme/frontend main")
        assert await types(team, team.grace, "deploy acme/frontend main") == []
        assert len(writes(team)) == 2


async def test_of_their_own_they_are_asked_about_the_very_same_and_nobody_about_what_is_over(team: Team) -> None:
    await types(team, team.ada, "deploy acme/frontend release/v2.0")
    assert await types(team, team.ada, "deploy acme/frontend release/v2.0 env=prod") == []
    goes_by(team, RUNNING)
    (asked,) = await types(team, team.ada, "deploy acme/frontend release/v2.0")
    assert "You deployed acme/frontend release/v2.0 as #2417 (asked for: " in asked.visible
    assert "Another one would run beside it" in asked.visible
    assert len(writes(team)) == 2
    assert await presses(team, team.ada, asked, AGAIN) == []
    assert len(writes(team)) == 3
    goes_by(team, OVER)
    await team.until(lambda: team.count("Finishing, red so far") == 3)
    assert await types(team, team.ada, "deploy acme/frontend release/v2.0") == []
    assert await types(team, team.grace, "deploy acme/frontend main") == []
    assert len(writes(team)) == 5


async def test_ones_own_whose_answer_is_out_is_asked_about_and_not_sent_beside(team: Team) -> None:
    team.circleci.faults.add("POST", "*/pipeline", drop="after")
    await types(team, team.ada, "deploy acme/frontend main")
    (asked,) = await types(team, team.ada, "deploy acme/frontend main")
    # The look for what became of it may have found it by now.
    said = "You asked for a deploy of acme/frontend main (", "You deployed acme/frontend main as #2417 ("
    assert any(one in asked.visible for one in said)
    assert len(writes(team)) == 1


GREEN = """
[[rules]]
name = "everybody"
words = ["*"]

[[rules]]
name = "green only"
effect = "demand"
words = ["deploy"]
green = true
"""


async def test_of_two_at_the_same_moment_one_starts_and_the_other_is_asked(tmp_path: Path) -> None:
    async with team_under(GREEN, tmp_path) as team:
        pushed(team, "main", OVER)
        read = asyncio.Event()
        team.circleci.faults.add("GET", "*/pipeline", until=read, times=None)
        people = {"ada": team.ada, "grace": team.grace}
        for person in people.values():
            await person.command("deploys", "/ci", "deploy acme/frontend main")
        await team.until(lambda: sum("branch=main" in one.path for one in team.circleci.requests) == len(people))
        read.set()
        await team.is_done()
        assert writes(team) == [f"POST {LIST}"]
        asked = {name: [one for one in person.sees_only if AGAIN in one.buttons] for name, person in people.items()}
        first, second = sorted(people, key=lambda name: len(asked[name]))
        assert f"@{first} asked for a deploy of acme/frontend main (" in said(asked[second])
        assert not asked[first]
        assert await presses(team, people[second], asked[second][0], AGAIN) == []
        assert len(writes(team)) == 2


@pytest.mark.parametrize(("age", "is_asked"), [(timedelta(days=2), False), (timedelta(minutes=5), True)])
async def test_a_hold_counts_for_a_day_and_not_for_longer(team: Team, age: timedelta, is_asked: bool) -> None:
    clock = team.circleci.world.clock
    clock.advance(datetime.now(UTC) - age - clock.now())
    await types(team, team.ada, "deploy acme/frontend hold/prod")
    goes_by(team, ON_HOLD)
    await team.reads("Waiting for approval: hold-prod")
    asked = await types(team, team.grace, "deploy acme/frontend hold/prod")
    assert ("which at my last look waited for an approval since" in said(asked)) == is_asked


async def test_a_rerun_of_a_colleague_counts_and_all_that_run_are_named(team: Team) -> None:
    built = pushed(team, "release/v2.0", OVER)
    rerun = RerunFailed(pipeline_id=built.id)
    assert await presses(team, team.ada, somewhere(team), rerun) == []
    (asked,) = await types(team, team.grace, "deploy acme/frontend release/v2.0")
    assert f"@ada reran acme/frontend release/v2.0 #{built.number} (" in asked.visible
    assert await presses(team, team.grace, asked, AGAIN) == []
    (both,) = await types(team, team.slack.person("admin"), "deploy acme/frontend release/v2.0")
    assert f"@grace deployed acme/frontend release/v2.0 as #{built.number + 1} (" in both.visible
    assert "@ada reran" in both.visible
    assert "beside them" in both.visible
    assert await types(team, team.ada, "deploy acme/frontend main") == []
    # So does one that is not answered yet, also under the name that the project has by now.
    other = pushed(team, "try/parallel", OVER)
    team.circleci.faults.add("POST", "*/rerun", until=(answered := asyncio.Event()))
    sent = len(writes(team))
    await team.ada.command("deploys", "/ci", f"rerun acme/frontend #{other.number}")
    await team.until(lambda: len(writes(team)) > sent)
    world, now = team.circleci.world, "gh/acme/shop"
    world.projects[now] = world.projects.pop(FRONTEND)
    world.projects[now].slug, team.circleci.moved, other.slug = now, {FRONTEND: now}, now
    await team.grace.command("deploys", "/ci", "deploy acme/shop try/parallel")
    await team.is_told(team.grace, f"@ada reran acme/frontend try/parallel #{other.number} (")
    assert len(writes(team)) == sent + 1
    answered.set()


async def test_what_was_begun_while_a_branch_was_red_is_asked_about_before_it_is_gone_over(tmp_path: Path) -> None:
    async with team_under(GREEN, tmp_path) as team:
        admin = team.slack.person("admin")
        pushed(team, "release/v2.0", OVER)
        (red,) = await types(team, team.ada, "deploy acme/frontend release/v2.0")
        (other,) = await types(team, admin, "deploy acme/frontend release/v2.0 env=prod")
        assert await presses(team, admin, other, "Deploy all the same") == []
        (asked,) = await presses(team, team.ada, red, "Deploy all the same")
        assert "@admin deployed acme/frontend release/v2.0 with `env=prod` as #" in asked.visible
        assert len(writes(team)) == 1
        assert "too old" in said(await presses(team, team.ada, red, "Deploy all the same"))
        assert await presses(team, team.ada, asked, AGAIN) == []
        assert len(writes(team)) == 2


async def test_one_that_could_not_be_sent_is_not_on_its_way(team: Team) -> None:
    team.circleci.faults.add("GET", "*/pipeline", status=403, body={"message": "Plan is suspended."})
    assert "Plan is suspended" in said(await types(team, team.ada, "deploy acme/frontend main"))
    assert await types(team, team.grace, "deploy acme/frontend main") == []
    assert len(writes(team)) == 1


ASKS_MORE = """
[[rules]]
name = "everybody"
words = ["*"]

[[rules]]
name = "releases are typed"
effect = "demand"
words = ["deploy"]
branches = ["release/*"]
typed = true

[[rules]]
name = "main takes two"
effect = "demand"
words = ["deploy"]
branches = ["main"]
second_person = true
"""


async def test_what_was_begun_before_somebody_typed_or_agreed_is_not_run_beside_unasked(tmp_path: Path) -> None:
    async with team_under(ASKS_MORE, tmp_path) as team:
        ada, admin, target = team.ada, team.slack.person("admin"), "acme/frontend release/v2.0"
        windows = []
        for person, parameters in ((ada, ""), (admin, "env=prod")):
            (asked,) = await types(team, person, f"deploy {target} {parameters}".strip())
            windows.append(await opens(team, person, asked, "Type it"))
        await fills_in(admin, windows[1], typed="release/v2.0")
        assert "Yours would run beside it, if it has not ended by now." in await fills_in(
            ada, windows[0], typed="release/v2.0"
        )
        asked = await team.is_told(ada, "@admin deployed acme/frontend release/v2.0 with `env=prod` as #")
        assert len(writes(team)) == 1
        assert await presses(team, ada, asked, AGAIN) == []
        assert len(writes(team)) == 2

        for person, parameters in ((ada, ""), (admin, "env=prod")):
            await types(team, person, f"deploy acme/frontend main {parameters}".strip())
        mine, other = [one for one in team.deploys.messages if "Agree and deploy main" in one.buttons]
        assert await presses(team, team.grace, other, "Agree and deploy main") == []
        for told in ("look once more", "ask for it anew"):  # first the request shows what admin's has built
            assert told in said(await presses(team, team.grace, mine, "Agree and deploy main"))
        assert "but nothing was started. @admin deployed acme/frontend main" in mine.visible
        assert "To run another one beside it, ask for that again." in mine.visible
        assert len(writes(team)) == 3


@pytest.mark.parametrize("drop", ["before", "after"])
async def test_of_two_whose_answers_are_lost_nobody_is_told_that_the_others_pipeline_is_theirs(
    team: Team, drop: str
) -> None:
    team.circleci.faults.add("POST", "*/pipeline", drop=drop)
    team.circleci.faults.add("POST", "*/pipeline", drop="after")
    await types(team, team.ada, "deploy acme/frontend main env=staging")
    (asked,) = await types(team, team.grace, "deploy acme/frontend main env=prod")
    await presses(team, team.grace, asked, AGAIN)
    if drop == "before":  # the one that is there may be either's
        unclear = "I cannot tell whether my request took effect"
        told = lambda: unclear in said(team.ada.sees_only) and unclear in said(team.grace.sees_only)  # noqa: E731
    else:  # the first was there before the second was sent
        told = lambda: len(team.deploys.roots) == 2  # noqa: E731
    await again_until(lambda: pulls_forward(team, LOOK_FOR), told)
    roots = sorted(root.visible for root in team.deploys.roots)
    assert len(roots) == (0 if drop == "before" else 2)
    for (whose, env), root in zip((("ada", "staging"), ("grace", "prod")), sorted(roots), strict=False):
        assert f"asked by {whose}" in root
        assert f"`env={env}`" in root
    assert len(writes(team)) == 2
