"""What somebody wants to be told of their own builds is read word by word; hours are those of a clock."""

import pytest

from bot.errors import UsageError
from bot.grammar import split
from bot.projects import Projects
from commands.notify import Wanted, parse


def read(line: str) -> Wanted:
    return parse(split(line), Projects())


@pytest.mark.parametrize(
    ("line", "events", "quiet", "nothing"),
    [
        ("", (), "", False),
        ("me", (), "", False),
        ("me failed", ("failed",), "", False),
        ("Me Waiting Ended.", ("ended", "waiting"), "", False),
        ("failed", ("failed",), "", False),
        ("me nothing", (), "", True),
        ("me off", (), "", True),
        ("me failed quiet 22:00-7:00", ("failed",), "22:00-7:00", False),
        ("me failed quiet 22-7", ("failed",), "22:00-7:00", False),
        ("me failed quiet 22.30 – 07.15", ("failed",), "22:30-7:15", False),
        ("me failed quiet 10pm to 7:30am", ("failed",), "22:00-7:30", False),
        ("me failed quiet 12am-12pm", ("failed",), "0:00-12:00", False),
        ("me failed quiet 18:00-24:00", ("failed",), "18:00-0:00", False),
        ("me quiet 9:00-17:00", (), "9:00-17:00", False),
    ],
)
def test_a_line_is_read(line: str, events: tuple[str, ...], quiet: str, nothing: bool) -> None:
    found = read(line)
    assert (found.events, str(found.quiet or ""), found.nothing) == (events, quiet, nothing)


@pytest.mark.parametrize(
    "line",
    [
        "me faild",
        "me failed nothing",
        "me failed quiet",
        "me failed quiet night",
        "me failed quiet 22:00",
        "me failed quiet 25:00-7:00",
        "me failed quiet 24:30-7:00",
        "me failed quiet 22:60-7:00",
        "me failed quiet 13pm-7am",
        "me failed quiet 0am-7am",
        "me failed quiet 7:00-7:00",
        "me failed quiet 22:00-7:00 waiting",
        "@grace failed",
        "<@U0GRACE> failed",
        "me failed?",
    ],
)
def test_what_is_none_is_refused(line: str) -> None:
    with pytest.raises(UsageError):
        read(line)
