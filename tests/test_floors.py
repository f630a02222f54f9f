"""The two lists of floors in `pyproject.toml` are one: what is exhaustive about `bot`, and what spans the roots."""

import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"


def test_both_lists_of_floors_tell_the_same() -> None:
    spanning, inside = _floors()
    assert [floor for floor in map(_of_bot, spanning) if floor] == inside


def _floors() -> list[list[str]]:
    settings = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    return [contract["layers"] for contract in contracts if contract["type"] == "layers"]


def _of_bot(floor: str) -> str:
    """Return a floor without the other roots, its modules named as they are inside `bot`."""
    return " | ".join(name.removeprefix("bot.") for name in floor.split(" | ") if name.startswith("bot."))
