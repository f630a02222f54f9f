"""Puts what `record.py` kept of an earlier version back into place: in Redis, in Slack and at CircleCI.

Ids and clocks are those of today: what CircleCI's world calls its pipelines now stands in the place of what it called
them then, and the record was made a minute ago, or as long ago as a story says.
"""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playground.circleci.api import CircleCI
from playground.circleci.pipelines import Pipeline
from playground.circleci.world import World
from playground.slack.api import Slack
from playground.slack.conversations import Message
from playground.slack.modals import View
from playground.slack.responses import Origin
from tests.one_redis import redis_url
from tests.stories.team import Team, bot_at_work, far_sides, keys_of, strangers
from tests.upgrade import contents
from tests.upgrade.record import names
from tests.upgrade.scenes import LATER, SCENES, Json, nothing

RECORDS = Path(__file__).parents[1] / "samples" / "records"
A_MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
NONE = re.compile("(?!)")
# Times of our own clock, as ISO text, as seconds, as ids of streams; those of the worlds' clocks are of another day.
TIMES = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)|(?<![\d.])\d{10}(?:\.\d{1,6})?(?![\d.])|(?<![\d.])\d{13}(?=-\d)"
)


@asynccontextmanager
async def upgraded(
    data_dir: Path,
    scene: str,
    *,
    version: str = "0.1.0",
    ago: timedelta = A_MINUTE,
    speed: float = 200,
    meanwhile: Callable[[World], None] = nothing,
    lost: re.Pattern[str] = NONE,
    **settings: Any,
) -> AsyncIterator[Team]:
    """Start today's bot over what a version left behind so long `ago`; from then on the world's clock runs.

    `meanwhile` is what happens at CircleCI while no bot runs, and `lost` which keys of Redis are.
    """
    sample = json.loads((RECORDS / version / f"{scene}.json").read_text(encoding="utf-8"))
    if sample["policy"]:
        settings["policy_file"] = data_dir / "policy.toml"
        settings["policy_file"].write_text(sample["policy"])
    async with far_sides(speed=0) as (circleci, slack):
        (SCENES | LATER)[scene].prepare(circleci.world)
        sample = as_of_today(sample, rebuild(circleci.world, sample), circleci, slack, ago)
        tell(slack, sample)
        await contents.write(redis_url(data_dir), answerable(slack, sample["redis"]), ago, lost)
        meanwhile(circleci.world)
        settings = sample["settings"] | settings
        async with bot_at_work(circleci, slack, data_dir, **settings) as team:
            circleci.world.clock.speed = speed
            yield team
            assert not (strange := strangers(await keys_of(team.app))), strange  # left behind by any version


def rebuild(world: World, sample: Json) -> dict[str, str]:
    """Let the same happen at CircleCI again; returns its ids of today, by those of then."""
    for kept in sample["pipelines"]:
        _go_to(world, kept["created_at"])
        pipeline = world.trigger(
            kept["slug"],
            branch=kept.get("branch"),
            tag=kept.get("tag"),
            parameters=kept.get("parameters", {}),
            by=kept["by"],
        )
        _run_again(world, pipeline, kept.get("runs", []))
    _go_to(world, sample["now"])
    used = [number for pipeline in world.pipelines for run in pipeline.runs for number in run.job_numbers.values()]
    while used and world.next_job_number() < max(used):
        pass
    today = names(world)
    return {then: today[name] for name, then in sample["ids"].items()}


def _run_again(world: World, pipeline: Pipeline, runs: list[Json]) -> None:
    for place, kept in enumerate(runs):
        if place >= len(pipeline.runs):
            _go_to(world, kept["created_at"])
            world.rerun(next(run.id for run in pipeline.runs if run.plan.name == kept["plan"]))
        run = pipeline.runs[place]
        run.job_numbers = dict(kept.get("job_numbers", ()))
        run.approvals = {name: _time(one) for name, one in kept.get("approvals", {}).items()}
        run.canceled_at, run.canceled_by = _time(kept.get("canceled_at")), kept.get("canceled_by")


def _go_to(world: World, then: str) -> None:
    world.clock.advance(datetime.fromisoformat(then) - world.clock.now())


def _time(text: str | None) -> Any:
    return None if text is None else datetime.fromisoformat(text)


def as_of_today(sample: Json, ids: dict[str, str], circleci: CircleCI, slack: Slack, ago: timedelta) -> Json:
    """Return a sample with the ids, the addresses and the times of today."""
    taken_at = datetime.fromisoformat(sample["taken_at"])
    shift = datetime.now(UTC) - ago - taken_at

    def moved(found: re.Match[str]) -> str:
        return _moved(found[0], taken_at, shift)

    text = json.dumps(sample)
    text = re.sub("|".join(map(re.escape, ids)) or "$^", lambda found: ids[found[0]], text)
    text = text.replace("{slack}", slack.url).replace("{circleci}", circleci.url)
    return json.loads(TIMES.sub(moved, text))  # type: ignore[no-any-return]  # it was one


def _moved(text: str, taken_at: datetime, shift: timedelta) -> str:
    """Return a time that is moved, where it is one of the bot's own clock."""
    if "T" in text:
        then = datetime.fromisoformat(text)
        return (then + shift).isoformat() if abs(then - taken_at) < DAY else text
    unit = 1000 if len(text) == 13 else 1
    if abs(float(text) / unit - taken_at.timestamp()) > DAY.total_seconds():
        return text
    return f"{float(text) + shift.total_seconds() * unit:.{0 if unit == 1000 else 6}f}"


def tell(slack: Slack, sample: Json) -> None:
    """Put the messages and the windows of then before the people of today."""
    workspace = slack.workspace
    while int(workspace.mint()) < sample["minted"]:
        pass
    for kept in sample["messages"]:
        channel = kept.pop("channel")
        where = workspace.channels.get(channel) or workspace.open_im(f"U{channel[1:]}")
        message = Message(channel=where, **kept)
        (workspace.ephemerals if message.only_for else where.everything).append(message)
    for kept in sample["windows"]:
        slack.modals.stacks[kept["user_id"]] = [View(**kept)]


def answerable(slack: Slack, kept: Json) -> Json:
    """Return the records with addresses that today's Slack answers at, as it does for half an hour."""
    text = json.dumps(kept)
    for name, record in kept.items():
        said = json.loads(record["value"]) if name.startswith("ci:said:") else {}
        if address := said.get("response_url"):
            channel = slack.workspace.channel(said["channel_id"])
            message = channel.find(said.get("message_ts") or "")
            path = slack.responses.mint(address.split("/")[3], Origin(channel, said["user_id"], message))
            text = text.replace(address, slack.url + path)
    return json.loads(text)  # type: ignore[no-any-return]  # it was one


def buttons(message: Message) -> Iterator[Json]:
    """Yield what can be pressed on a message."""
    for block in message.blocks:
        found = [*block.get("elements", ()), block.get("accessory", {})]
        yield from ({**one, "block_id": block["block_id"]} for one in found if one.get("type") == "button")
