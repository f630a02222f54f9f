"""The recorded files: compared with what was said now, or written anew."""

import difflib
import re
from functools import cache
from pathlib import Path

import pytest

from tests.golden import transcript

FOLDER = Path(__file__).parent / "messages"
# What somebody does, as the stage writes it down.
_DONE = {
    "command": re.compile(r"^» \w+ (?:types: /ci|says in .+: @ci|writes to the bot:) ([\w-]+)", re.MULTILINE),
    "button": re.compile(r"^» \w+ presses \[ .+ \] \((\w+)\)$", re.MULTILINE),
    "form": re.compile(r"^» \w+ presses \[ .+ \] \((\w+)\)\n(?:(?!»).*\n)*» \w+ fills it in", re.MULTILINE),
}
ANEW = "If it should read so: `make golden` records it anew; then look at `git diff tests/golden`."


def compare(said: dict[str, str], *, anew: bool) -> None:
    """Hold each text against the file of its name; with `anew` the files are written instead."""
    found = {name: transcript.tidied(text) for name, text in said.items()}
    if anew:
        for name, text in found.items():
            (FOLDER / f"{name}.txt").write_text(text, encoding="utf-8")
        return
    differences = [difference for name, text in found.items() if (difference := _difference(name, text))]
    if differences:
        pytest.fail("\n".join([*differences, "", ANEW]), pytrace=False)


@cache
def recorded(kind: str) -> frozenset[str]:
    """Return each command, button or form that somebody says, presses or fills in: what is recorded is played."""
    texts = (file.read_text(encoding="utf-8") for file in sorted(FOLDER.iterdir()))
    return frozenset(name for text in texts for name in _DONE[kind].findall(text))


def _difference(name: str, text: str) -> str:
    file = FOLDER / f"{name}.txt"
    recorded = file.read_text(encoding="utf-8") if file.exists() else ""
    names = f"{file.name}, as recorded", f"{file.name}, as it reads now"
    return "\n".join(difflib.unified_diff(recorded.splitlines(), text.splitlines(), *names, lineterm=""))
