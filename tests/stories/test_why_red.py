"""Stories of people who ask since when a branch is red."""

from datetime import timedelta

from playground.circleci.past import PastPlan
from playground.circleci.world import write_past
from tests.stories.team import Team
from tests.stories.test_looking import asks

BACKEND, FRONTEND = "gh/acme/backend", "gh/acme/frontend"
TOTAL, SESSION = "test_total_is_exact", "test_session_expires"
RED = PastPlan((frozenset({TOTAL}),))


async def test_the_first_bad_build_its_commit_and_the_tests_that_turned(team: Team) -> None:
    write_past(team.circleci.world, BACKEND, "main", [PastPlan((frozenset({TOTAL, SESSION}),)), RED, RED])
    told = await asks(team, "why-red acme/backend main", "is red since #1811")
    assert "3 builds in a row" in told.visible
    assert "1 test began to fail in it and still fails" in told.visible
    assert TOTAL in told.visible
    assert f"not in the newest build any more: `{SESSION}`" in told.visible
    assert "Ship v2.0 · by push" in told.visible
    assert "The last good one was #1810. The newest is #1813." in told.visible
    assert told.element("Open the commit")["url"].startswith("https://github.com/acme/backend/commit/")
    assert not [seen for seen in team.circleci.requests if seen.method == "POST"]


async def test_a_branch_and_whether_main_is_red_too(team: Team) -> None:
    world = team.circleci.world
    write_past(world, BACKEND, "fix/cart", [RED, RED])
    told = await asks(team, "why-red acme/backend fix/cart", "is red since")
    assert "I found no green build before it, of 2 builds looked at." in told.visible
    assert "`main` is not red." in told.visible
    write_past(world, BACKEND, "main", [RED])
    await asks(team, "why-red acme/backend fix/cart", "`main` is red too, since #1813")
    write_past(world, FRONTEND, "fix/cart", [RED])
    await asks(team, "why-red acme/frontend fix/cart", "I found no build of `main` that passed or failed")


async def test_a_commit_that_passed_is_not_what_broke_it(team: Team) -> None:
    passed = PastPlan((frozenset({SESSION}), frozenset()), revision="abc1234" + "0" * 33)
    write_past(team.circleci.world, BACKEND, "main", [passed, PastPlan((frozenset({SESSION}),), passed.revision)])
    told = await asks(team, "why-red acme/backend main", "is red since #1812")
    assert "The same commit passed in #1811, so it may not be what broke it: a rerun may pass." in told.visible
    assert "style" not in told.element("Open the commit")


async def test_what_failed_and_runs_again_may_be_red(team: Team) -> None:
    team.time_stands_still()
    world = team.circleci.world
    pipeline = world.trigger(FRONTEND, branch="release/v2.0", parameters={}, by="push")
    world.clock.advance(timedelta(minutes=10))
    world.tick()
    world.rerun(next(run.id for run in pipeline.runs if run.plan.name == "build-test-deploy"))
    told = await asks(team, "why-red acme/frontend release/v2.0", "may be red: #2417 has failed and is not over")
    assert "The newest build that ended" not in told.visible
    await asks(team, "logs acme/frontend #2417", "unit-tests")  # what failed is meant, not what had passed before it


async def test_a_red_branch_without_tests_names_its_jobs(team: Team) -> None:
    write_past(team.circleci.world, BACKEND, "main", [PastPlan(log=("oh no",))])
    await asks(team, "why-red acme/backend", "No test began to fail in it; what failed: test.")


async def test_a_green_branch_is_not_red(team: Team) -> None:
    await asks(team, "why-red acme/backend", "is not red: its newest finished build #1810 passed")
    await asks(
        team,
        "why-red acme/backend no/such",
        "CircleCI knows no build that passed or failed, among the newest, on the branch",
    )
    await asks(team, "why-red", "Which project?")
    await asks(team, "why-red acme/backend tag:v1", "A tag has too few builds")


async def test_in_a_thread_that_follows_a_build_no_name_is_needed(team: Team) -> None:
    await team.deploys_branch("release/v2.0")
    await team.reads("Failed after")
    await team.grace.mention("deploys", "why-red", thread_ts=team.root.ts)
    told = await team.reads("is red: I found one build of it, #2417")
    assert "`release/v2.0`" in told.visible
    await team.grace.mention("deploys", "flaky", thread_ts=team.root.ts)
    await team.reads("no test failed in more than 2 builds, because I found only 1 build that ended")
