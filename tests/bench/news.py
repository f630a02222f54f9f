"""An hour of builds that nobody typed: channels hear what they subscribed to, each once, and at few requests.

The unit of time is a twelfth of what it is in life, for all alike: the pauses of the bot, the builds, and what the
far sides are asked in a second. What does not shrink are the bot's fixed waits (the leases of a dead process: five
seconds, and a minute on telling of a branch; and a minute between two sweeps), and the second that is the finest that a
`Date` of CircleCI says: so webhooks are under way for a second, which is twelve here.
"""

import asyncio
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

from bot.embedded import EmbeddedServer
from playground.circleci.api import CircleCI
from playground.circleci.world import World
from playground.clock import Clock
from playground.slack.api import Slack
from playground.slack.workspace import default_workspace
from tests.bench.hour import MINUTE, Size, has_webhooks
from tests.bench.pushing import LIST, SECRET, SUBSCRIPTION, Built, Stage
from tests.bench.stage import AS_SHIPPED, Bot, Figure, percentile, running

POLL, UPDATES, REQUESTS = 5, 50, 10  # as by default; that many requests a second CircleCI is asked at first
FINDING, MORE, TOLD, FLAT = 25, 2, 10, 1.1
PATHS = (
    re.compile(r"/api/v2/pipeline/([^/?]+)"),
    re.compile(r"/workflow/([^/?]+)"),
    re.compile(r"/project/(?:gh|github)/acme/p\d+/(?:job/)?(\d+)\b"),
    re.compile(r"/output/(\d+)"),
)
AN_HOUR = Size()
# Seconds after its end, by how it was found; what a dead worker had in hand waits for what does not shrink.
LIMITS = {
    "by webhook": MINUTE,
    "without webhooks": SUBSCRIPTION + MINUTE,
    "where a webhook is missing": 3 * SUBSCRIPTION + MINUTE,
    "around a kill": 0,
}


async def subscriptions(folder: Path, *, size: Size = AN_HOUR, seed: int = 1, kills: int = 1) -> list[Figure]:
    """Play the hour on one Redis, with a web and two workers, of which one is killed so often, and started again."""
    world = World(Clock(datetime.now(UTC), speed=1))
    workspace = default_workspace(now=lambda: world.clock.now().timestamp())
    async with (
        CircleCI(world) as circleci,
        Slack(workspace, socket_mode=True) as slack,
        EmbeddedServer(folder / "news-redis") as redis,
        AsyncExitStack() as stack,
    ):
        slack.limits = None
        stage, settings = Stage(size, seed, slack, circleci), {**waits(size.times), "REDIS_URL": redis.url}

        async def starts(name: str, role: str) -> Bot:
            return await stack.enter_async_context(running(slack, circleci, folder / f"news-{name}", role, **settings))

        web, worker, other = [await starts(f"{role}{n}", role) for n, role in enumerate(("web", "worker", "worker"))]
        stage.port = web.port
        await slack.connected()
        await stage.subscribe()
        playing = asyncio.create_task(stage.play())
        measuring = asyncio.create_task(_megabytes(worker, size.seconds / 4))
        for number in range(kills):
            await asyncio.sleep(size.seconds / (kills + 1))
            stage.kills.append(stage.now)
            other.process.kill()
            other = await starts(f"again{number}", "worker")
        await playing
        early, late, busy, seconds = await measuring, worker.megabytes, worker.cpu_seconds, stage.now
        rows = [*_told(stage, await stage.settle()), *_asked(stage, seconds), *_late(stage)]
    memory = f"{early:.0f} MB, {late:.0f} MB"
    return [
        *rows,
        Figure("memory of a worker after a quarter of the hour, and at its end", memory, "flat", late < early * FLAT),
        Figure("one of two workers, of one core", f"{busy / seconds:.0%}, at {size.times} times the pace"),
    ]


async def _megabytes(worker: Bot, seconds: float) -> float:
    await asyncio.sleep(seconds)
    return worker.megabytes


def waits(times: int) -> dict[str, str]:
    """Return the settings as they are by default, with the unit of time so many times shorter."""
    return {
        **AS_SHIPPED,
        "POLL_INTERVAL_SECONDS": str(POLL / times),
        "SUBSCRIPTION_SECONDS": str(SUBSCRIPTION / times),
        "SLACK_POSTS_PER_SECOND_PER_CHANNEL": str(times),
        "SLACK_UPDATES_PER_MINUTE": str(UPDATES * times),
        "CIRCLECI_REQUESTS_PER_SECOND": str(REQUESTS * times),
        "CIRCLECI_WEBHOOK_SECRET": SECRET,
    }


def _told(stage: Stage, wrong: Sequence[str]) -> list[Figure]:
    for one in wrong:
        print(f"WRONG: {one}", file=sys.stderr)
    what = f"{stage.size}, half by webhooks, {len(stage.kills)} kill -9"
    name = f"{what}: channels told of a branch what they must be, once"
    places, said = len(stage.about()), sum(map(len, stage.told().values()))
    return [Figure(name, f"{places - len(wrong)} of {places}, with {said} messages", "all", not wrong)]


def _asked(stage: Stage, seconds: float) -> list[Figure]:
    """Return how many requests it took to find the ends, to look at those that may matter, and to tell.

    What compares a failure with builds before counts for what is told. Names are asked for once in an hour that does
    not shrink, before this one began.
    """
    about = {branch for _, branch in stage.about()}
    matter = [one for one in stage.built if one.ends and (one.push.project, one.push.branch) in about]
    said = {one.said.number for told in stage.told().values() for one in told}
    told = {one.pipeline.number for one in matter if one.push.outcome == "red" or one.pipeline.number in said}
    quiet = {one.pipeline.number for one in matter} - told
    whose, finding, after = _whose(stage), len(stage.subscribed), Counter[int]()
    for one in stage.requests.asked:
        built = whose(one.path)
        is_before = built is not None and (not built.ends or one.at < built.ends[0].at)
        if is_before or LIST.search(one.path):
            finding += one.at <= seconds
        else:
            after[built.pipeline.number if built else 0] += 1
    rows = (
        ("requests a minute to find them", finding / (seconds * stage.size.times / MINUTE), FINDING),
        (f"requests more for each of {len(quiet)} that may matter", sum(after[n] for n in quiet) / len(quiet), MORE),
        (
            f"requests for each of {len(told)} that are told",
            sum(after[n] for n in after.keys() - quiet) / len(told),
            MORE + TOLD,
        ),
    )
    return [Figure(name, f"{found:.2f}", f"at most {most}", found <= most) for name, found, most in rows]


def _whose(stage: Stage) -> Callable[[str], Built | None]:
    """Return what finds the build that a request is about."""
    known: dict[str, Built] = {}
    for built in stage.built:
        numbers = (number for run in built.pipeline.runs for number in run.job_numbers.values())
        names = (built.pipeline.id, *(run.id for run in built.pipeline.runs), *map(str, numbers))
        known |= dict.fromkeys(names, built)

    def of(path: str) -> Built | None:
        found = next((match[1] for pattern in PATHS if (match := pattern.search(path))), "")
        return known.get(found)

    return of


def _late(stage: Stage) -> list[Figure]:
    """Return how long after its end what was told was told, in the time of that hour, and how it was found."""
    built = {one.pipeline.number: one for one in stage.built}
    late: dict[str, list[float]] = {name: [] for name in LIMITS}
    for place in stage.told().values():
        for one in place:
            push, ends = built[one.said.number].push, [end.at for end in built[one.said.number].ends if end.at < one.at]
            at, names = max(ends, default=one.at), [*LIMITS]
            found = names[0 if push.is_told else 2 if has_webhooks(push.project) else 1]
            late[names[3] if stage.is_near_a_kill(at, one.at) else found].append((one.at - at) * stage.size.times)
    return [_row(name, found, LIMITS[name]) for name, found in late.items() if found]


def _row(name: str, found: Sequence[float], most: float) -> Figure:
    usual, nearly_all, worst = (percentile(found, share) for share in (0.5, 0.99, 1))
    measured = f"{usual:.0f} s as a rule, {nearly_all:.0f} s, {worst:.0f} s at worst"
    what = f"{len(found)} told {name}: after their ends, p50, p99"
    if not most:
        return Figure(what, measured)
    share = sum(one <= most for one in found) / len(found)
    return Figure(what, measured, f"p95 at most {most:.0f} s", share >= 0.95)
