"""A command that goes round the operations is refused: by mypy, by ruff, or by the contracts.

Each test adds one to a copy of the house and lets the tools that `make test` runs look at it.
"""

import inspect
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import pytest

from bot.circleci.protocols import Keeps, Starts
from bot.circleci.reads import Side
from bot.routing import Context

ROOT = Path(__file__).parent.parent
HOUSE = ("bot", "commands", "formatters", "playground", "pyproject.toml")
ACT = "    ...  # here it acts\n"
COMMAND = f'''"""Cancel a build at once."""

from bot.answers import Nothing
from bot.models.caller import Caller
from bot.models.help import CommandHelp
from bot.requests import OfTarget, parse_of_target
from bot.routing import Context, Router

HELP = CommandHelp(name="at-once", group="Ship", summary="Cancel a build at once.", usage="at-once", example="at-once")


async def handle(request: OfTarget, caller: Caller, context: Context) -> Nothing:
    """Cancel it."""
    pipeline = await context.finder.pipeline(request, caller)
{ACT}    return Nothing()


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(HELP, permission="cancel", request=OfTarget, parse=parse_of_target, handle=handle)
'''
BY_AN_OPERATION = "await context.operations.cancel(caller, pipeline.id)"
VERBS = [name for part in (Starts, Keeps) for name, _ in inspect.getmembers(part, inspect.iscoroutinefunction)]
GIVEN = [
    *(f"context.{one.name}" for one in fields(Context) if one.name != "operations"),
    *(f"context.circleci.of(pipeline.project_slug).{part}" for part in Side._fields),
]
BY_THE_WAY = (
    "from bot.operations import Hands",
    "from bot.doctor import Transport",
    "from bot.circleci.reads import Transport as Same",
)
BEHIND = (
    "await context.operations._hands.writes.cancel_workflow(WorkflowId(pipeline.id))",
    "await context.circleci._sides.usual.builds._api.send('POST', pipeline.id)",
)
WAYS_TO_THE_WRITES = (
    "bot.circleci.writes",
    "bot.circleci.keeps",
    "bot.circleci.transport",
    "bot.circleci.v1",
    "bot.circleci.v1.writes",
    "bot.circleci.v2.api",
    "bot.circleci.v2.writes",
    "bot.operations.hands",
    "bot.operations.cancel",
    "httpx",
)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Return a copy of the house."""
    for name in HOUSE:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def learned(house: Path) -> Path:
    """Return the house with what mypy has learned of it so far; it may be learning at this moment."""
    for cache in ROOT.glob(".mypy_cache/*/*.db"):
        copy = house / cache.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(cache)) as here, closing(sqlite3.connect(copy)) as there:
            here.backup(there)
    return house


def test_mypy_refuses_every_writing_verb_of_all_that_a_handler_is_given(learned: Path) -> None:
    assert {"cancel_workflow", "trigger", "set_variable"} <= set(VERBS)
    wrong = [*BY_THE_WAY, *(f"await {given}.{verb}()" for given in GIVEN for verb in VERBS)]
    command = added(learned, [*wrong, BY_AN_OPERATION])
    lines = (learned / command).read_text(encoding="utf-8").splitlines()
    refused = re.findall(
        rf"^{command}:(\d+): error: .* \[attr-defined\]$", said := told(learned, "mypy", command), re.MULTILINE
    )
    assert [lines[int(line) - 1].strip() for line in refused] == wrong
    assert f"Found {len(wrong)} errors" in said


def test_ruff_refuses_to_reach_behind_what_a_handler_is_given(house: Path) -> None:
    for act in BEHIND:
        assert "SLF001" in told(house, "ruff", "check", added(house, [act]))


@pytest.mark.parametrize("where", ["commands", "bot/slack", "bot/watching"])
def test_the_contracts_refuse_every_module_that_leads_to_the_writes(house: Path, where: str) -> None:
    source = "".join(f"import {module}\n" for module in WAYS_TO_THE_WRITES)
    (house / where / "at_once.py").write_text(source, encoding="utf-8")
    importer = f"{where.replace('/', '.')}.at_once"
    refused = re.findall(rf"{importer} -> ([\w.]+) ", told(house, "lint-imports", "--no-cache"))
    assert set(WAYS_TO_THE_WRITES) <= set(refused)


def test_a_command_that_acts_by_an_operation_passes(house: Path) -> None:
    command = added(house, [BY_AN_OPERATION])
    assert "All checks passed" in told(house, "ruff", "check", command)
    assert re.search(r"\d+ kept, 0 broken", told(house, "lint-imports", "--no-cache"))


def added(house: Path, acts: Sequence[str]) -> str:
    """Add a command that does this, and return its file."""
    command = "commands/at_once.py"
    source = COMMAND.replace(ACT, "".join(f"    {act}\n" for act in acts))
    (house / command).write_text(source, encoding="utf-8")
    return command


def told(house: Path, tool: str, *arguments: str) -> str:
    """Return what a tool says of the house."""
    ran = subprocess.run(
        [Path(sys.executable).with_name(tool), *arguments], cwd=house, capture_output=True, text=True, check=False
    )
    return ran.stdout
