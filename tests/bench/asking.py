"""How often CircleCI is asked about a build of ten minutes, with its webhooks and without; what they do not tell."""

import asyncio
import time
from pathlib import Path

from playground.circleci.api import CircleCI
from playground.circleci.pipelines import Pipeline
from playground.circleci.scenarios import JobPlan, Scenario, TestPlan, WorkflowPlan
from playground.circleci.webhooks import Webhooks
from playground.slack.api import Slack
from tests.bench.stage import AS_SHIPPED, Bot, Figure, course, far_sides, running, seen

SECRET = "bench-webhook-secret"
PROJECT = "acme/frontend"
TESTS = (TestPlan("test_adds_item", "tests/test_cart.py", "expected 2 items, got 1"),)
TEN_MINUTES = Scenario(
    (
        WorkflowPlan(
            "build",
            (
                JobPlan("checkout", seconds=60),
                JobPlan("lint", seconds=60, requires=("checkout",)),
                JobPlan("unit", seconds=240, requires=("checkout",)),
                JobPlan("build", seconds=180, requires=("unit",)),
                JobPlan("e2e", seconds=117, requires=("build",), ends="failed", tests=TESTS, log=("1 failed",)),
            ),
        ),
    )
)
ON_HOLD = Scenario(
    (WorkflowPlan("release", (JobPlan("build", seconds=150), JobPlan("go", 0, "success", ("build",), True))),)
)
CONFIG_ERROR = Scenario(config_error="config: Error calling workflow: 'build'")
MOST, MOST_WITH_WEBHOOKS, WITHIN = 70, 26, 60
RECEIVED, JOB_AND_WORKFLOW = "ci_webhooks_received_total", 2


NAME = "requests for a build of 10 minutes and 5 jobs, report included"


async def alone(folder: Path) -> list[Figure]:
    """Follow a build without webhooks."""
    asked = await _alone(folder / "alone")
    return [Figure(f"{NAME}, without webhooks", str(asked), f"at most {MOST}", asked <= MOST)]


async def told(folder: Path) -> list[Figure]:
    """Follow a build while its webhooks arrive; then one that waits, and one that is broken."""
    asked, hold, error = await _told(folder / "told")
    most = MOST_WITH_WEBHOOKS
    return [
        Figure(f"{NAME}, while its webhooks arrive", str(asked), f"at most {most}", asked <= most),
        Figure("a hold is seen, with webhooks", f"after {hold:.0f} s", f"at most {WITHIN} s", hold <= WITHIN),
        Figure("a config error is seen, with webhooks", f"after {error:.0f} s", f"at most {WITHIN} s", error <= WITHIN),
    ]


async def _alone(folder: Path) -> int:
    async with far_sides() as (slack, circleci), running(slack, circleci, folder, **AS_SHIPPED):
        await slack.connected()
        return await _followed(slack, circleci)


async def _told(folder: Path) -> tuple[int, float, float]:
    async with (
        far_sides() as (slack, circleci),
        running(slack, circleci, folder, **AS_SHIPPED, CIRCLECI_WEBHOOK_SECRET=SECRET) as bot,
    ):
        await slack.connected()
        webhooks = Webhooks(circleci.world, f"http://127.0.0.1:{bot.port}/circleci/webhook", SECRET)
        telling = asyncio.create_task(webhooks.tell_for_ever())
        try:
            # Somebody has pushed, so that CircleCI has told of the project before.
            circleci.world.set_scenario(f"gh/{PROJECT}", "pushed", course(1))
            circleci.world.trigger(f"gh/{PROJECT}", branch="pushed", parameters={}, by="push")
            await _has_heard(bot, JOB_AND_WORKFLOW)
            asked = await _followed(slack, circleci)
            return asked, *await asyncio.gather(_hold(slack, circleci), _error(slack, circleci))
        finally:
            telling.cancel()


async def _has_heard(bot: Bot, webhooks: int) -> None:
    """Wait until so many webhooks have arrived."""
    async with asyncio.timeout(WITHIN):
        while await _received(bot) < webhooks:  # noqa: ASYNC110  # another process tells nobody
            await asyncio.sleep(0.2)


async def _received(bot: Bot) -> float:
    return sum(count for name, count in (await bot.figures()).items() if name.startswith(RECEIVED))


async def _followed(slack: Slack, circleci: CircleCI) -> int:
    """Deploy the long build and return how many requests were made until its report stood complete."""
    before = len(circleci.requests)
    await _deploy(slack, circleci, "ten-minutes", TEN_MINUTES)
    await seen(lambda: _reads(slack, "test_adds_item"))
    await seen(lambda: [text for text in _reads(slack, "earlier builds") if "I am comparing" not in text])
    return len(circleci.requests) - before


async def _hold(slack: Slack, circleci: CircleCI) -> float:
    run = (await _deploy(slack, circleci, "on-hold", ON_HOLD)).runs[0]
    waits = run.start(run.plan.jobs[1])
    assert waits is not None
    began = time.monotonic() + (waits - circleci.world.clock.now()).total_seconds()
    await seen(lambda: _reads(slack, "Approve go"))
    return time.monotonic() - began


async def _error(slack: Slack, circleci: CircleCI) -> float:
    await _deploy(slack, circleci, "broken", CONFIG_ERROR)
    began = time.monotonic()
    await seen(lambda: _reads(slack, "Error calling workflow"))
    return time.monotonic() - began


async def _deploy(slack: Slack, circleci: CircleCI, branch: str, scenario: Scenario) -> Pipeline:
    circleci.world.set_scenario(f"gh/{PROJECT}", branch, scenario)
    delivery = await slack.person("ada").command("deploys", "/ci", f"deploy {PROJECT} {branch}")
    assert delivery.acked, delivery.error
    return (await seen(lambda: [one for one in circleci.world.pipelines if one.branch == branch]))[0]


def _reads(slack: Slack, words: str) -> list[str]:
    texts = (one.visible for one in slack.workspace.channel("deploys").messages)
    return [text for text in texts if words in text]
