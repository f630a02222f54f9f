"""Courses that say more for what was built before: a flake, a red main, what broke and was fixed; and a classic one."""

from pathlib import Path

from bot.settings import ProjectEntry, Projects
from tests.golden.playground import PastPlan, scenario_of, write_past
from tests.golden.records import compare
from tests.golden.scenes import Scene, played
from tests.golden.stage import Stage, staged

BACKEND, BUILT = "gh/acme/backend", (5, 95, 40, 6)
GREEN = PastPlan()


def red(*tests: str) -> PastPlan:
    return PastPlan((frozenset(tests),))


async def plays(stage: Stage, branch: str, plan: PastPlan) -> None:
    """Let a build take its course, and show its whole thread."""
    stage.team.circleci.world.set_scenario(BACKEND, branch, scenario_of(plan))
    stage.notes(f"ada types: /ci deploy acme/backend {branch}")
    root = await stage.plays(branch, *BUILT, project="acme/backend")
    for message in (root, *root.replies):
        stage.shows(message)


async def known_flake(stage: Stage) -> None:
    await plays(stage, "fix/flake", red("test_charges_once"))


async def many_failures(stage: Stage) -> None:
    flaky = red(*(f"test_endpoint_{number:02}" for number in range(10)))
    write_past(stage.team.circleci.world, BACKEND, "main", [flaky, GREEN] * 2)
    await plays(stage, "fix/many", PastPlan((frozenset([*flaky.failing[0], "test_session_expires"]),)))


async def network(stage: Stage) -> None:
    await plays(stage, "fix/network", PastPlan(log=("$ npm ci", "npm error code ECONNRESET")))


async def broke_and_fixed(stage: Stage) -> None:
    for plan in (GREEN, red("test_session_expires"), red("test_session_expires"), red("test_total_is_exact"), GREEN):
        await plays(stage, "fix/cart", plan)


async def main_is_red(stage: Stage) -> None:
    write_past(stage.team.circleci.world, BACKEND, "main", [red("test_total_is_exact")] * 2)
    await plays(stage, "fix/total", red("test_total_is_exact"))


async def classic(stage: Stage) -> None:
    await stage.types("ada", "deploy legacy main env=prod", "deploys")
    await stage.moves_on(*BUILT)
    root = stage.team.deploys.roots[-1]
    for message in (root, *root.replies):
        stage.shows(message)
    await stage.presses("ada", root, "Rerun failed")
    await stage.passes(45)
    await stage.passes(6)


SCENES: dict[str, Scene] = {
    "course-many-failures": many_failures,
    "course-known-flake": known_flake,
    "course-network": network,
    "course-broke-and-fixed": broke_and_fixed,
    "course-classic": classic,
    "course-main-is-red": main_is_red,  # from here on it is
}
PROJECTS = Projects(projects={"legacy": ProjectEntry(slug="gh/acme/legacy", api="classic")})


async def test_every_verdict_reads_as_recorded(tmp_path: Path, golden: bool) -> None:
    async with staged(tmp_path, projects=PROJECTS) as stage:
        said = await played(stage, SCENES)
    compare(said, anew=golden)
