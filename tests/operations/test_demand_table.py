"""Each demand, on each word, by each way in: what can wait waits, and what cannot is refused with its line.

The bot's own rerun is in `test_locks.py`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import product

import pytest
import pytest_asyncio

from bot.actions import ApproveJob, RerunFailed, RunCommand
from bot.policy import BadPolicy, Word, parse
from playground.circleci.pipelines import Pipeline
from playground.slack.conversations import Message
from tests.operations.scene import (
    FRONTEND,
    ON_HOLD,
    OVER,
    fills_in,
    mentions,
    opens,
    presses,
    pushed,
    said,
    somewhere,
    team_under,
    types,
    writes,
)
from tests.stories.team import Team

in_one_loop = pytest.mark.asyncio(loop_scope="module")

DEMANDS = ("second_person", "typed", "green")
ASKED = {"second_person": "Somebody else must agree", "typed": "type its branch or tag", "green": "Deploy all the same"}
COURSES = {"deploy": ("failing-tests", OVER), "rerun": ("failing-tests", OVER), "approve": ("on-hold", ON_HOLD)}
PLAYED = [(demand, word) for demand, word in product(DEMANDS, COURSES) if demand != "green" or word == "deploy"]


def rule(demands: tuple[str, ...], words: tuple[str, ...], branches: str, effect: str = "demand") -> str:
    wanted = "\n".join(f"{demand} = true" for demand in demands)
    shown = ", ".join(f'"{word}"' for word in words)
    return (
        f'[[rules]]\nname = "{branches}"\neffect = "{effect}"\nwords = [{shown}]\nbranches = ["{branches}"]\n{wanted}\n'
    )


POLICY = "\n".join(
    [
        '[[rules]]\nname = "everybody"\nwords = ["*"]\n',
        *(rule((demand,), (word,), f"{demand}/{word}") for demand, word in PLAYED),
        *(rule(("typed", "second_person"), (word,), f"both/{word}") for word in COURSES),
    ]
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def team(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Team]:
    async with team_under(POLICY, tmp_path_factory.mktemp("demands")) as team:
        yield team


async def typed(team: Team, text: str, _: Pipeline) -> list[Message]:
    return await types(team, team.ada, text)


async def mentioned(team: Team, text: str, _: Pipeline) -> list[Message]:
    return await mentions(team, team.ada, text)


async def pressed(team: Team, text: str, build: Pipeline) -> list[Message]:
    word = text.partition(" ")[0]
    run = build.runs[-1]
    hold = run.job_ids.get("hold-prod", "")
    button = {
        "deploy": RunCommand(text=text),
        "rerun": RerunFailed(pipeline_id=build.id),
        "approve": ApproveJob(pipeline_id=build.id, workflow_id=run.id, approval_request_id=hold),
    }[word]
    return await presses(team, team.ada, somewhere(team), button)


async def filled_in(team: Team, text: str, build: Pipeline) -> list[Message]:
    """Type the target of an act that a second person must agree to as well."""
    (asked,) = await pressed(team, text, build)
    window = await opens(team, team.ada, asked, "Type it")
    await fills_in(team.ada, window, typed=build.branch or "")
    return []


WAYS: dict[str, Callable[[Team, str, Pipeline], Awaitable[list[Message]]]] = {
    "typed": typed,
    "mentioned": mentioned,
    "pressed": pressed,
}
CELLS = [(demand, word, way) for (demand, word), way in product(PLAYED, WAYS) if word != "approve" or way == "pressed"]


@in_one_loop
@pytest.mark.parametrize(("demand", "word", "way"), CELLS)
async def test_a_demand_holds_whichever_way_somebody_comes(team: Team, demand: str, word: str, way: str) -> None:
    build = pushed_for(team, f"{demand}/{word}", word)
    before, roots = writes(team), len(team.deploys.messages)
    told = said(await WAYS[way](team, as_typed(build, word), build))
    posted = "\n".join(one.visible for one in team.deploys.messages[roots:])
    assert ASKED[demand] in told + posted
    assert writes(team) == before


@in_one_loop
@pytest.mark.parametrize("word", COURSES)
async def test_what_is_typed_into_a_window_meets_one_demand_and_not_the_next(team: Team, word: str) -> None:
    build = pushed_for(team, f"both/{word}", word)
    before, roots = writes(team), len(team.deploys.messages)
    await filled_in(team, as_typed(build, word), build)
    assert ASKED["second_person"] in "\n".join(one.visible for one in team.deploys.messages[roots:])
    assert writes(team) == before


@in_one_loop
async def test_what_is_typed_shows_a_hold_and_approves_nothing(team: Team) -> None:
    build = pushed_for(team, "second_person/approve", "approve")
    before = writes(team)
    assert "waits" in said(await typed(team, as_typed(build, "approve"), build))
    assert writes(team) == before


REFUSED = [
    (demand, word, effect)
    for demand, word, effect in product(DEMANDS, (*Word, "*"), ("allow", "demand"))
    if (demand, word) not in PLAYED
]


@pytest.mark.parametrize(("demand", "word", "effect"), REFUSED)
def test_what_cannot_wait_is_refused_with_its_line(demand: str, word: str, effect: str) -> None:
    with pytest.raises(BadPolicy, match=r"line \d+") as refused:
        parse(rule((demand,), (word,), "main", effect))
    assert "words = [" in str(refused.value)


def pushed_for(team: Team, branch: str, word: str) -> Pipeline:
    """Let a build be there that the word can act on."""
    course, seconds = COURSES[word]
    team.circleci.world.set_scenario(FRONTEND, branch, course)
    return pushed(team, branch, seconds)


def as_typed(build: Pipeline, word: str) -> str:
    return f"{word} acme/frontend {build.branch if word == 'deploy' else f'#{build.number}'}"
