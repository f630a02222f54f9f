"""Stories of somebody who asks and asks, while others have work to do."""

import asyncio

from bot.slack.listeners import MOST_OPEN
from bot.watching.engine import READS_AT_ONCE
from tests.stories.team import Team, is_sign

FLOOD = 60


async def test_slow_looks_of_one_person_delay_nothing_of_another(team: Team) -> None:
    guest = team.slack.person("guest")
    answers = asyncio.Event()
    team.circleci.faults.add("GET", "*/gh/acme/backend*", until=answers, times=None)
    await asyncio.gather(*(guest.command("deploys", "/ci", "flaky acme/backend main last=50") for _ in range(FLOOD)))
    await team.until(lambda: slow(team) == READS_AT_ONCE)
    refused = [one for one in guest.sees_only if f"last=…`. You have {MOST_OPEN} questions" in one.text]
    assert len(refused) == FLOOD - MOST_OPEN

    await team.deploys_branch("main")
    await team.reads("Passed in")
    await team.ada.command("deploys", "/ci", "status acme/frontend main")
    await team.is_told(team.ada, "Passed")
    assert slow(team) == READS_AT_ONCE, "the others wait, and ask nothing"

    answers.set()
    team.circleci.faults.clear()
    await team.slack.wait_for(lambda: len(guest.sees_only) == FLOOD and not any(map(is_sign, guest.sees_only)), 30)
    await guest.command("deploys", "/ci", "flaky acme/backend main")
    await team.slack.wait_for(lambda: len(guest.sees_only) == FLOOD + 1 and not is_sign(guest.sees_only[-1]))
    assert "questions open" not in guest.sees_only[-1].visible


def slow(team: Team) -> int:
    """Return how many questions about the slow project CircleCI has been asked."""
    return sum("/gh/acme/backend" in seen.path for seen in team.circleci.requests)
