"""`python -m tests.upgrade.record FOLDER` plays what may be under way when a version is replaced, and keeps it all.

Each scene becomes a file: all of Redis, what people see in Slack, and what stands at CircleCI. It is run in a checkout
of the version whose records are wanted (tests/samples/README.md).
"""

import asyncio
import json
import re
import socket
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.stories.team import Team, team_at_work
from tests.upgrade import contents
from tests.upgrade.scenes import LATER, SCENES, Json, Scene


async def record(scene: Scene) -> str:
    """Play a scene and return all that is left of it."""
    with tempfile.TemporaryDirectory() as folder:
        policy = Path(folder) / "policy.toml"
        policy.write_text(scene.policy)
        settings = {**scene.settings, "poll_interval_seconds": 5, "lease_seconds": 15}
        settings |= {"policy_file": policy} if scene.policy else {}
        async with team_at_work(Path(folder) / "data", **settings) as team:
            team.circleci.world.clock.speed = 0
            team.circleci.world.clock.advance(-timedelta(microseconds=team.circleci.world.clock.now().microsecond))
            scene.prepare(team.circleci.world)
            await scene.play(team)
            text = laid_out({**await everything(team), "policy": scene.policy, "settings": scene.settings})
            for name, address in (("slack", team.slack.url), ("circleci", team.circleci.url)):
                text = text.replace(address, f"{{{name}}}")
            return re.sub(rf"{re.escape(socket.gethostname())}#\d+", "worker#1", text)


def laid_out(kept: Json) -> str:
    """Return it as JSON with a line for each key of Redis, each message and each window."""
    return "{\n" + ",\n".join(f" {json.dumps(name)}: {_lines(value)}" for name, value in kept.items()) + "\n}\n"


def _lines(value: Any) -> str:
    if isinstance(value, dict) and value:
        lines = [f"  {json.dumps(name)}: {json.dumps(one, ensure_ascii=False)}" for name, one in value.items()]
        return "{\n" + ",\n".join(lines) + "\n }"
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(f"  {json.dumps(one, ensure_ascii=False)}" for one in value) + "\n ]"
    return json.dumps(value, ensure_ascii=False)


async def everything(team: Team) -> Json:
    """Return Redis, Slack and CircleCI as they stand at this moment."""
    world, workspace = team.circleci.world, team.slack.workspace
    said = [one for channel in workspace.channels.values() for one in channel.everything]
    return {
        "taken_at": datetime.now(UTC).isoformat(),
        "redis": await contents.read(team.app.docket.url),
        "messages": [vars_of(one) for one in [*said, *workspace.ephemerals] if not one.deleted],
        "windows": [vars_of(view) for stack in team.slack.modals.stacks.values() for view in stack],
        "pipelines": [vars_of(one) for one in world.pipelines],
        "now": world.clock.now().isoformat(),
        "minted": int(workspace.mint()),
        "ids": names(world),
    }


def names(world: Any) -> dict[str, str]:
    """Return the ids that CircleCI gave, by what they are of."""
    found = {slug: project.id for slug, project in world.projects.items()}
    for slug, project in world.projects.items():
        found |= {f"{slug} definition {name}": one for one, name in project.definitions.items()}
    for pipeline in world.pipelines:
        found[f"#{pipeline.number}"] = pipeline.id
        for place, run in enumerate(pipeline.runs):
            found[f"#{pipeline.number} {place}"] = run.id
            found |= {f"#{pipeline.number} {place} {job}": one for job, one in run.job_ids.items()}
    return found


def vars_of(thing: Any) -> Json:
    """Return a thing of the playground as JSON: what it has of its own, and the names of what it leads to."""
    left_out = {"scenario", "history", "root", "previous", "job_ids", "superseded"}
    return {name: _plain(value) for name, value in vars(thing).items() if name not in left_out and value}


def _plain(value: Any) -> Any:
    match type(value).__name__:
        case "datetime":
            return value.isoformat()
        case "Channel":
            return value.id
        case "WorkflowPlan":
            return value.name
        case "Run":
            return vars_of(value)
        case "dict":
            return {name: _plain(one) for name, one in value.items()}
        case "list" | "tuple":
            return [_plain(one) for one in value]
    return value


if __name__ == "__main__":
    for name, scene in (SCENES | LATER).items():
        Path(sys.argv[1], f"{name}.json").write_text(asyncio.run(record(scene)), encoding="utf-8")
