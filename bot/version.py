"""Which version of the bot this is: what pyproject.toml says, and nothing else does."""

import tomllib
from pathlib import Path

FILE = Path(__file__).parents[1] / "pyproject.toml"
VERSION = str(tomllib.loads(FILE.read_text(encoding="utf-8"))["project"]["version"])
