"""What an operator sees at /metrics after a day's work."""

import aiohttp

from tests.stories.team import Team


async def metrics(team: Team) -> dict[str, float]:
    """Return every figure of ours by its name and labels."""
    assert team.app.server is not None
    address = f"http://127.0.0.1:{team.app.server.port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        lines = (await answer.text()).splitlines()
    pairs = (line.rpartition(" ") for line in lines if line.startswith("ci_"))
    return {name: float(value) for name, _, value in pairs}


async def test_deploys_errors_and_the_far_sides_are_counted(team: Team) -> None:
    before = await metrics(team)
    await team.deploys_branch("main")
    await team.reads("Passed in")
    delivery = await team.ada.command("deploys", "/ci", "deploy acme/frontend no-such-branch")
    await team.is_told(team.ada, "CircleCI knows no branch")
    await team.ada.redeliver(delivery)
    await team.ada.command("deploys", "/ci", "frobnicate")
    await team.is_told(team.ada, "I do not know this word.")
    team.circleci.faults.add("POST", "*/pipeline", drop="after")
    await team.deploys_branch("try/green")
    await team.slack.wait_for(lambda: team.count("Passed in") == 2, timeout=15)
    after = await metrics(team)
    grown = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
    expected = {
        'ci_deploys_total{outcome="asked"}': 3,
        'ci_deploys_total{outcome="started"}': 1,
        'ci_deploys_total{outcome="refused"}': 1,
        'ci_deploys_total{outcome="answer_lost"}': 1,
        'ci_deploys_total{outcome="found"}': 1,
        'ci_errors_total{kind="NotFound"}': 1,
        'ci_errors_total{kind="UsageError"}': 1,
        "ci_deliveries_dropped_total": 1,
        'ci_circleci_requests_total{status="400"}': 1,
    }
    assert {name: grown.get(name) for name in expected} == expected
    assert grown['ci_circleci_requests_total{status="201"}'] == 1
    assert "acme" not in "".join(after)
