"""Stories of people who ask since when a branch is red."""

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
    told = await team.is_told(team.grace, "is red: I found one build of it, #2417")
    assert "`release/v2.0`" in told.visible
    await team.grace.mention("deploys", "flaky", thread_ts=team.root.ts)
    await team.is_told(team.grace, "no test failed in more than 2 builds, because I found only 1 build that ended")
