"""What may be under way when a version is replaced by the next, played by the team of `tests/stories/team.py`.

The world's clock stands still between two acts. It is played in a checkout of an earlier version too, so it uses
nothing but the team.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.models.circleci import PipelineId
from tests.stories.team import Team

Json = dict[str, Any]
FRONTEND, MOBILE = "acme/frontend", "circleci/5e0c5f62/9f1c2d7a"
UNTIL_FAILED, GREEN = (5, 195, 66, 6), (5, 41, 20, 6)  # seconds until the end of such a build was told
POLICY = """
[[rules]]
name = "members deploy"
roles = ["members"]
words = ["read", "deploy", "cancel", "rerun"]

[[rules]]
name = "admins approve"
roles = ["admins"]
words = ["approve", "keys"]

[[rules]]
name = "production needs a second person"
effect = "demand"
words = ["deploy"]
branches = ["main", "try/setup", "try/parallel"]
second_person = true

[[rules]]
name = "production is typed"
effect = "demand"
words = ["deploy"]
branches = ["hold/*", "try/setup"]
typed = true

[[rules]]
name = "no deploy over a red branch"
effect = "demand"
words = ["deploy"]
branches = ["release/*", "try/parallel"]
green = true
"""
PUBLIC = {"circleci_webhook_secret": "webhook-secret", "public_url": "https://ci.acme.example"}


async def running(team: Team) -> None:
    """Leave a build whose failure was told in two threads, and one that has just begun."""
    await plays(team, "release/v2.0", 5, 195)
    await types(team, "grace", f"watch {FRONTEND} #2417", "general")
    await moves(team, 6)
    await plays(team, "try/slow", 20)


async def on_hold(team: Team) -> None:
    """Leave a build that waits for an approval, and one that grace approved and that runs on."""
    await plays(team, "hold/prod")
    await plays(team, "try/on-hold", 5, 41)
    held = next(one for one in team.deploys.messages if one.thread_ts == team.deploys.roots[1].ts)
    await team.grace.click(held, "Approve hold-prod")
    await quiet(team)


async def waiting(team: Team) -> None:
    """Leave requests for a second person, two of them after something else was met, a target to type, a red branch."""
    world, admin = team.circleci.world, team.slack.person("admin")
    for branch in ("release/v2.0", "try/parallel"):
        world.trigger("gh/acme/frontend", branch=branch, parameters={}, by="push")
    await moves(team, 300)
    await types(team, "ada", f"deploy {FRONTEND} main env=prod")
    await types(team, "ada", f"deploy {FRONTEND} hold/prod")
    for name in ("ada", "admin"):
        await types(team, name, f"deploy {FRONTEND} release/v2.0")
    await types(team, "ada", f"deploy {FRONTEND} try/setup")
    await opens(team, "ada", team.ada.sees_only[-1], "Type it")
    await sends(team, "ada", {"typed": "try/setup"})
    await types(team, "admin", f"deploy {FRONTEND} try/parallel")
    await admin.click(admin.sees_only[-1], "Deploy all the same")
    await quiet(team)
    await opens(team, "ada", next(one for one in team.ada.sees_only if "hold/prod" in one.visible), "Type it")
    await opens(team, "grace", team.deploys.roots[0], "Decline")


async def locked(team: Team) -> None:
    """Leave a lock of grace's that ada met, and one that was taken over."""
    await types(team, "grace", f"lock {FRONTEND}:main hotfix")
    await types(team, "grace", "lock acme/backend:main")
    await types(team, "ada", f"deploy {FRONTEND} main")
    await types(team, "admin", "lock acme/backend:main")
    admin = team.slack.person("admin")
    await admin.click(admin.sees_only[-1], "Take over")
    await quiet(team)
    await types(team, "ada", "locks")


async def choosing(team: Team) -> None:
    """Leave an open question for a pipeline definition, and an answered one whose build runs."""
    await types(team, "ada", f"deploy {MOBILE} main env=prod")
    await types(team, "ada", f"deploy {MOBILE} try/slow")
    await team.ada.click(team.ada.sees_only[-1], "nightly")
    await quiet(team)
    await moves(team, 5)


async def pressed(team: Team) -> None:
    """Leave messages with every button there is, pressed or not, of builds that have ended and of commands."""
    await plays(team, "fix/cart", *UNTIL_FAILED)
    long = team.circleci.world.pipelines[-1].runs[-1].job_numbers["unit-tests"]
    await types(team, "ada", f"logs {FRONTEND} {long}")
    await plays(team, "release/v2.0", *UNTIL_FAILED)
    await team.grace.click(team.deploys.messages[-1], "Rerun failed")
    await quiet(team)
    await plays(team, "try/green", *GREEN)
    await plays(team, "try/config-error", 5)
    await plays(team, "try/slow", 20)
    await team.grace.click(team.deploys.roots[-1], f"Cancel #{team.circleci.world.pipelines[-1].number}")
    await quiet(team)
    await plays(team, "try/parallel", 20)
    await ask(team)
    await keep(team, team.slack.person("admin"))


async def ask(team: Team) -> None:
    """Let Ada ask for much, and take what is suggested."""
    numbers = team.circleci.world.pipelines[-1].runs[0].job_numbers
    await types(team, "ada", f"cancel {FRONTEND} {next(iter(numbers.values()))}")
    failed = team.circleci.world.pipelines[1].runs[1].job_numbers["unit-tests"]
    for text in ("hello", f"deploy {FRONTEND} maim", f"logs {FRONTEND} {failed}", f"tests {FRONTEND} release/v2.0"):
        await types(team, "ada", text)
    suggested = next(one for one in team.ada.sees_only if "maim" in one.visible)
    await team.ada.click(suggested, suggested.buttons[0])
    await quiet(team)


async def keep(team: Team, admin: Any) -> None:
    """Let an admin begin to change all that CircleCI keeps, and leave a window open."""
    await types(team, "admin", "env set acme/frontend TOKEN", "releases")
    await opens(team, "admin", admin.sees_only[-1], "Type the value")
    await sends(team, "admin", {"value": "hunter2"})
    for text in ("env remove acme/frontend TOKEN", "webhook acme/frontend"):
        await types(team, "admin", text, "releases")
    await types(team, "admin", "keys add acme/frontend deploy-key", "releases")
    await admin.click(admin.sees_only[-1], "Add deploy-key")
    await quiet(team)
    fingerprint = team.circleci.classic.keys["gh/acme/frontend"][0]["fingerprint"]
    for text in (f"keys remove acme/frontend {fingerprint}", "ssh-key add acme/frontend", "heroku-key add"):
        await types(team, "admin", text, "releases")
    await types(team, "admin", "cache clear acme/frontend", "releases")
    offered = next(one for one in admin.sees_only if "Type the value" in one.buttons)
    await opens(team, "admin", offered, "Type the value")


async def comparing(team: Team) -> None:
    """Leave a red build that is being compared with earlier ones: its final reply is to be completed."""
    await plays(team, "try/failing-tests", 5, 195, 66, project="acme/backend")
    team.circleci.faults.add("GET", "/api/v2/project/gh/acme/backend/pipeline*", delay=60, times=None)
    team.circleci.world.clock.advance(timedelta(seconds=6))
    await looks(team)
    await team.reads("Failed after")
    await pause(team, 0.5)


async def lost(team: Team) -> None:
    """Leave two triggers whose answers were lost: one began a pipeline, the other did not."""
    team.circleci.faults.add("POST", "*/pipeline", drop="after")
    team.circleci.faults.add("POST", "*/pipeline", drop="before")
    await types(team, "ada", f"deploy {FRONTEND} main")
    await types(team, "ada", f"deploy {FRONTEND} hold/prod")


async def saying(team: Team) -> None:
    """Leave a root and a final reply that arrived without an answer, and a root that never arrived."""
    unheard = "/api/chat.postMessage"
    await plays(team, "try/green", 5, 41, 20)
    team.slack.faults.add("POST", "/api/conversations.*", delay=60, times=None)
    team.slack.faults.add("POST", unheard, drop="after")
    team.circleci.world.clock.advance(timedelta(seconds=6))
    await looks(team)
    await team.reads("Passed in")
    team.slack.faults.add("POST", unheard, drop="after")
    await team.deploys_branch("try/slow")
    await team.reads("try/slow")
    team.slack.faults.add("POST", unheard, delay=60)
    await team.deploys_branch("try/setup")
    await pause(team, 0.5)


async def queued(team: Team) -> None:
    """Leave a command in the middle of which the worker died, and what came after it in the queue."""
    await plays(team, "try/slow", 20)
    root = team.root
    team.circleci.faults.add("GET", "/api/v2/project/gh/acme/backend", delay=60, times=None)
    await team.deploys_branch("try/green", "acme/backend")
    await pause(team, 0.3)
    (worker,) = [task for task in asyncio.all_tasks() if task.get_name() == "worker"]
    worker.cancel()
    await pause(team, 0.1)
    await team.deploys_branch("main")
    await team.grace.click(root, "Cancel #2417")
    await pause(team, 0.1)


async def cut_off(team: Team) -> None:
    """Leave five presses in the middle of which the bot died; CircleCI had done three of them, and not the others."""
    world, faults = team.circleci.world, team.circleci.faults
    for branch in ("try/failing-tests", "release/v2.0"):
        world.trigger("gh/acme/frontend", branch=branch, parameters={}, by="push")
    await types(team, "ada", f"watch {FRONTEND} #2417")
    await moves(team, 5, *UNTIL_FAILED)
    await plays(team, "try/on-hold", 5, 41)
    await types(team, "ada", f"deploy {FRONTEND} main")
    await types(team, "admin", f"keys add {FRONTEND} deploy-key")
    await types(team, "admin", f"deploy {FRONTEND} release/v2.0")
    red = next(run for run in world.pipelines[0].runs if run.plan.name == "build-test-deploy")
    held = world.pipelines[2].runs[0]
    faults.add("POST", "*/rerun", delay=60)
    faults.add("POST", "*/approve/*", delay=60)
    faults.add("POST", "*/pipeline", delay=60)
    faults.add("POST", "*/checkout-key", delay=60)
    await presses(team, "admin", "Add deploy-key")
    await presses(team, "grace", "Rerun failed")
    await presses(team, "admin", "Approve hold-prod")
    await presses(team, "grace", "Agree and deploy")
    faults.add("GET", "*/project/gh/acme/frontend/pipeline", delay=60)
    await presses(team, "admin", "Deploy all the same")
    world.rerun(red.id)
    world.approve(held.id, held.job_ids["hold-prod"])
    world.trigger("gh/acme/frontend", branch="main", parameters={})


async def subscribed(team: Team) -> None:
    """Leave a branch that a channel was told is red, with a build of it that runs, and another subscription."""
    world = team.circleci.world
    push: Json = {"branch": "release/v2.0", "parameters": {}, "by": "push"}
    await types(team, "ada", f"subscribe {FRONTEND} release/* broke fixed still-red")
    await types(team, "grace", "subscribe acme/backend main release/* passed channel mention=S0RELEASE")
    await team.until(lambda: sum(one.path.endswith("/pipeline") for one in team.circleci.requests) >= 2)
    red = world.trigger("gh/acme/frontend", **push)
    world.clock.advance(timedelta(minutes=10))
    while not (await team.app.store.news.get(PipelineId(red.id))).judged:
        await pause(team, 0.05)
    running = world.trigger("gh/acme/frontend", **push)
    world.clock.advance(timedelta(seconds=20))
    await team.until(lambda: any(running.id in one.path for one in team.circleci.requests))


async def presses(team: Team, name: str, button: str) -> None:
    """Let somebody press a button, and give the bot the time to begin with it."""
    person = team.slack.person(name)
    seen = [*team.deploys.messages, *person.sees_only]
    await person.click(next(one for one in reversed(seen) if button in one.buttons), button)
    await pause(team, 0.3)


def fails_at_length(world: Any) -> None:
    """Let a branch fail with more tests, and a longer log, than a message shows."""
    plan = world.projects["gh/acme/frontend"].branches["release/v2.0"]
    workflow = plan.workflows[-1]
    jobs = tuple(_at_length(job) if job.tests else job for job in workflow.jobs)
    again = replace(plan, workflows=(*plan.workflows[:-1], replace(workflow, jobs=jobs)))
    world.set_scenario("gh/acme/frontend", "fix/cart", again)


def _at_length(job: Any) -> Any:
    tests = tuple(replace(job.tests[0], name=f"test_{number:02}") for number in range(30))
    return replace(job, tests=tests, log=tuple(f"line {number}" for number in range(200)))


def nothing(world: Any) -> None:
    """Let CircleCI be as it is."""


@dataclass(frozen=True)
class Scene:
    """What is played, under which policy and settings; `prepare` is what CircleCI must know before."""

    play: Callable[[Team], Awaitable[None]]
    policy: str = ""
    settings: Json = field(default_factory=dict)
    prepare: Callable[[Any], None] = nothing


SCENES = {
    "running": Scene(running),
    "on-hold": Scene(on_hold),
    "waiting": Scene(waiting, POLICY, {"admins": ["U0ADMIN"]}),
    "locked": Scene(locked),
    "choosing": Scene(choosing),
    "pressed": Scene(pressed, settings={"admins": ["U0ADMIN"], **PUBLIC}, prepare=fails_at_length),
    "comparing": Scene(comparing),
    "lost": Scene(lost),
    "saying": Scene(saying),
    "queued": Scene(queued),
    "cut-off": Scene(cut_off, POLICY, {"admins": ["U0ADMIN"]}),
}

# What version 0.1.0 did not know.
LATER = {"subscribed": Scene(subscribed, settings={"subscription_seconds": 0.5, "settle_seconds": 0.5})}


async def plays(team: Team, branch: str, *seconds: int, project: str = FRONTEND) -> None:
    """Let Ada deploy a branch, and so much time go by, step by step."""
    await team.deploys_branch(branch, project)
    await quiet(team)
    await moves(team, *seconds)


async def types(team: Team, name: str, text: str, where: str = "deploys") -> None:
    await team.slack.person(name).command(where, "/ci", text)
    await quiet(team)


async def opens(team: Team, name: str, message: Any, button: str) -> None:
    person = team.slack.person(name)
    await person.click(message, button)
    await team.slack.wait_for(lambda: person.modal)
    await quiet(team)


async def sends(team: Team, name: str, values: dict[str, str]) -> None:
    """Fill in the window that somebody has open, send it, and close what it says then."""
    person = team.slack.person(name)
    assert person.modal is not None
    await person.submit(person.modal, dict(values))
    await quiet(team)
    if person.modal is not None:
        await person.close(person.modal)


async def moves(team: Team, *seconds: int) -> None:
    """Let time go by at CircleCI step by step, and the bot look after each."""
    for step in seconds:
        team.circleci.world.clock.advance(timedelta(seconds=step))
        await looks(team)
        await quiet(team)


async def looks(team: Team) -> None:
    """Let the bot look now at all that it follows."""
    team.circleci.world._tick()
    for pipeline_id in await team.app.store.watches.watching():
        await team.app.engine.wake(pipeline_id)


async def quiet(team: Team) -> None:
    """Wait until the bot has nothing to do."""
    docket = team.app.docket
    busy = [1]
    while any(busy):
        await team.slack.pause(0.02)
        async with docket.redis() as redis, redis.pipeline() as pipeline:
            pipeline.xlen(docket.stream_key)
            pipeline.zcount(docket.queue_key, "-inf", datetime.now(UTC).timestamp())
            pipeline.zcount("ci:looks", "-inf", 1000 * datetime.now(UTC).timestamp())
            busy = await pipeline.execute()


async def pause(team: Team, seconds: float) -> None:
    await team.slack.pause(seconds)
