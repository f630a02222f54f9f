"""Every line of the table is said to the bot: at CircleCI happens what the lines name, and nothing else."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from redis.asyncio import Redis

from bot.grammar import split
from bot.models.slack import Invocation
from bot.settings import Projects
from commands.deploy import parse
from tests.lines.reading import SHA, Line, lines
from tests.operations.scene import FRONTEND, ON_HOLD, OVER, RUNNING, pushed, team_under
from tests.stories.team import Team

PROJECTS = Projects.model_validate({"projects": {"frontend": {"slug": FRONTEND}}})
PULL_REQUESTS = {"12": "release/v2.0"}  # of which a build tells the branch
PLACES = ("main", "release/v2.0", "hold/prod")
AT_ONCE, USED = 60, "releases"
ACTS = ("deploys", "reruns", "unlocks", "locks", "offers", "asks")


async def test_nothing_is_started_rerun_cancelled_approved_or_unlocked_that_no_line_names(tmp_path: Path) -> None:
    async with team_under("", tmp_path, projects=PROJECTS, poll_interval_seconds=3600) as team:
        named = pushed(team, "release/v2.0", OVER, revision=SHA)
        named.review_id = "12"
        pushed(team, "main", OVER)
        pushed(team, "try/slow", RUNNING)
        pushed(team, "hold/prod", ON_HOLD)
        for branch in PLACES:
            await team.ada.command("deploys", "/ci", f"lock acme/frontend:{branch} mine")
        await team.ada.command(USED, "/ci", "use acme/frontend main")
        await team.is_done()
        acting = [line for line in lines(named.runs[0].id) if line.does.startswith(ACTS)]
        said = [line for line in acting if not locks_all(line)]
        deploys = [line for line in said if line.does.startswith("deploys")]
        assert len(said) > 90
        locks = [line for line in said if line.does.startswith("locks")]
        await says(team, locks)  # before what unlocks the same
        await says(team, [line for line in said if line not in (*deploys, *locks)])
        assert writes(team)
        assert set(writes(team)) <= {f"/workflow/{run.id}/rerun" for run in named.runs}
        for those in in_turns(deploys):
            await says(team, those)
            await are_over(team)
        started = Counter(str(body) for body in team.posts("/pipeline"))
        assert started == Counter(str(body) for line in deploys if (body := asked_of_circleci(line)))
        locked = {str(lock.ref) for lock in (await team.app.store.locks.all())[0]}
        assert locked == {"hold/prod", "tag:v2.0", "try/slow"}


def in_turns(deploys: list[Line]) -> Iterator[list[Line]]:
    """Yield lines of which no two deploy the same: who does so while that runs is asked first."""
    by_what = defaultdict[str, list[Line]](list)
    for line in deploys:
        by_what[str(asked_of_circleci(line))].append(line)
    for turn in zip_longest(*by_what.values()):
        yield [line for line in turn if line]


async def are_over(team: Team) -> None:
    """Let nothing be known of what was deployed, as once it is over."""
    async with Redis.from_url(team.app.docket.url) as redis:
        async for key in redis.scan_iter(match="ci:deploys*"):
            await redis.delete(key)


def locks_all(line: Line) -> bool:
    return line.does.startswith("locks") and line.does.endswith("all of it")


async def says(team: Team, said: list[Line]) -> None:
    """Let Ada say lines, many at once, and wait until they are carried out."""
    for start in range(0, len(said), AT_ONCE):
        await asyncio.gather(*(says_one(team, line) for line in said[start : start + AT_ONCE]))
    await team.is_done()


async def says_one(team: Team, line: Line) -> None:
    """Let Ada say a line; a message is known until it is carried out."""
    match line.how:
        case "slash":
            await team.ada.command("deploys", "/ci", line.text, raw=True)
            return
        case "used":
            await team.ada.command(USED, "/ci", line.text, raw=True)
            return
        case "direct":
            said = await team.ada.message_bot(line.text, raw=True)
        case _:
            thread_ts = team.slack.workspace.post(team.deploys, team.ada.id, "A thread of its own.", []).ts
            said = await team.ada.mention("deploys", line.text, thread_ts if line.how == "thread" else None, raw=True)
    event, deliveries = said.payload["event"], team.app.store.deliveries
    said_id = f"{event['channel']}:{event['ts']}"
    async with asyncio.timeout(30):
        while await deliveries.said(Invocation, said_id):
            await team.slack.pause(0.05)


def writes(team: Team) -> Counter[str]:
    """Return what was changed at CircleCI."""
    seen = [one.path.removeprefix("/api/v2") for one in team.circleci.requests if one.method != "GET"]
    return Counter(seen)


def asked_of_circleci(line: Line) -> dict[str, object] | None:
    """Return what is to be sent for a row that deploys; None where nobody knows the branch of a pull request."""
    plain = line.does.replace(", its default branch", " main").replace("deploys ", "")
    for number, branch in PULL_REQUESTS.items():
        plain = plain.replace(f", pull request {number}", f" {branch}")
    if ", pull request" in plain or " pull/" in plain:  # of a fork, or unknown: refused
        return None
    request = parse(split(plain), PROJECTS)
    ref = request.target(PROJECTS).ref
    assert ref
    return {ref.kind: ref.name, **({"parameters": request.parameters} if request.parameters else {})}
