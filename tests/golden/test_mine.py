"""What somebody reads of their own builds: what waits for them, what runs, what they may not look at any more."""

from pathlib import Path

from bot.models.attempt import Attempt
from bot.models.caller import Place
from bot.models.circleci import Ref
from tests.golden.records import compare
from tests.golden.scenes import Scene, played
from tests.golden.stage import Stage, staged
from tests.store.test_watches import watch
from tests.stories.test_gate import POLICY

MORE = """
[[rules]]
name = "members rerun and cancel"
roles = ["members"]
words = ["rerun", "cancel"]

[[rules]]
name = "nobody looks at backend"
effect = "deny"
roles = ["everyone"]
words = ["read"]
projects = ["acme/backend"]
"""


async def waits(stage: Stage) -> None:
    await stage.types("ada", "deploy acme/frontend main env=prod", "deploys")
    await stage.types("ada", "deploy acme/frontend hold/prod", "deploys")
    for name in ("ada", "grace", "guest"):
        await stage.types(name, "mine")
    await stage.types("ada", "mine", "deploys")
    for name in ("ada", "grace", "guest"):
        await stage.types(name, "help", "deploys")
    await stage.presses("grace", stage.newest("Agree and deploy"), "Agree and deploy")
    await stage.types("grace", "mine")
    await stage.types("ada", "mine")


async def others(stage: Stage) -> None:
    """Let somebody follow and run again what others began, and stop following it."""
    root = await stage.plays("try/timed-out-step", 5, 41, 6)
    await stage.mentions("grace", "mine", root)
    number = stage.team.circleci.world.pipelines[-1].number
    await stage.types("grace", f"watch acme/frontend #{number}", "releases")
    await stage.types("grace", "mine")
    await stage.types("grace", f"unwatch acme/frontend #{number}", "releases")
    await stage.types("grace", "mine")
    await stage.presses("grace", root, "Rerun failed")
    await stage.moves_on(5)
    await stage.types("grace", "mine")


async def not_seen(stage: Stage) -> None:
    """Let somebody ask who may not look any more at what they deployed."""
    world = stage.team.circleci.world
    began = world.trigger("gh/acme/backend", branch="main", parameters={}, by="admin")
    theirs = {"pipeline_id": began.id, "project_slug": "gh/acme/backend", "project_title": "acme/backend"}
    await stage.team.app.store.watches.add(watch(**theirs, pipeline_number=began.number, asker_id="U0ADMIN"))
    assert await stage.team.app.store.own.of("U0ADMIN")
    await stage.types("admin", "mine")


async def silent(stage: Stage) -> None:
    await stage.plays("try/slow", 5)
    stage.notes("CircleCI does not answer")
    stage.team.circleci.faults.add("GET", "/api/v2/workflow/*", status=503, times=None)
    stage.team.circleci.faults.add("GET", "/api/v2/pipeline/*", status=503, times=None)
    await stage.types("ada", "mine")
    stage.team.circleci.faults.clear()


async def unsent(stage: Stage) -> None:
    """Let a deploy wait for its turn at CircleCI, and be taken back."""
    stage.notes("CircleCI has put off what ada deployed")
    attempts, now = stage.team.app.store.attempts, await stage.team.app.store.now()
    found = {"project_slug": "gh/acme/frontend", "project_title": "acme/frontend", "asker_id": stage.team.ada.id}
    about = {**found, "thread": Place(channel_id=stage.team.deploys.id), "asked_at": now}
    assert await attempts.begin(Attempt.model_validate({"id": "Ev1", "ref": Ref(name="try/green"), **about}), [])
    await stage.types("ada", "mine")
    await stage.types("ada", "lock acme/frontend", "deploys")
    (asked,) = await stage.types("ada", "cancel acme/frontend", "deploys")
    await stage.presses("ada", asked, "Do not deploy it")
    await stage.presses("ada", asked, "Do not deploy it")
    await stage.types("ada", "unlock acme/frontend", "deploys")


SCENES: dict[str, Scene] = {
    "mine-waits": waits,
    "mine-others": others,
    "mine-not-seen": not_seen,
    "mine-silent": silent,
    "mine-unsent": unsent,
}


async def test_ones_own_builds_read_as_recorded(tmp_path: Path, golden: bool) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY + MORE)
    async with staged(tmp_path / "data", policy_file=policy, admins="U0ADMIN") as stage:
        said = await played(stage, SCENES)
    compare(said, anew=golden)
