"""What a person would quote of ten kinds of log; `<kind>.quoted` is looked at by eye when it changes."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.circleci.logs import tail
from bot.triage.infrastructure import cause_in, compiled
from bot.triage.quoting import GAP, MOST_LINES, TAIL_LINES, quote, telling

LOGS = Path(__file__).parent / "logs"
KINDS = sorted(path.stem for path in LOGS.glob("*.log"))
TIMES = re.compile(r" \(×\d+\)\Z")
CAUSES = {"npm-network": "connection lost", "no-output": "no output"}


def quoted(kind: str) -> tuple[str, ...]:
    return quote(tail((LOGS / f"{kind}.log").read_bytes().decode(), 10_000))


def test_there_are_ten_kinds() -> None:
    assert len(KINDS) == 10


@pytest.mark.parametrize("kind", KINDS)
def test_the_lines_that_matter_are_quoted(kind: str) -> None:
    assert "\n".join(quoted(kind)) + "\n" == (LOGS / f"{kind}.quoted").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_infrastructure_is_told_from_a_failure_of_ones_own(kind: str) -> None:
    assert cause_in(quoted(kind), compiled()) == CAUSES.get(kind, "")


def test_a_log_that_tells_nothing_is_quoted_at_its_end() -> None:
    lines = [f"line {number}" for number in range(1000)]
    assert quote(lines) == (GAP, *lines[-TAIL_LINES:])


@given(
    st.lists(st.text(max_size=80) | st.sampled_from(["E   assert", "panic: x", "0 errors", "Error: y"]), max_size=80)
)
def test_a_quotation_is_short_and_in_order(lines: list[str]) -> None:
    kept = [TIMES.sub("", line) for line in quote(lines) if line != GAP]
    assert len(kept) <= MOST_LINES
    rest = iter(lines)
    assert all(line in rest for line in kept)


NOISE = [f"12:00:{number:02} INFO page {number} rendered" for number in range(40)]


@pytest.mark.parametrize(
    ("lines", "most", "said"),
    [
        # C54
        ([*NOISE, "==> expected: <200> but was: <500>"], 1, ["==> expected: <200> but was: <500>"]),
        (["AssertionError: no header", *(f"at a.b({n})" for n in range(40))], 1, ["AssertionError: no header"]),
        (
            ["expect(received).toBe(expected)", "", "Expected: 200", "Received: 500", *NOISE],
            3,
            ["expect(received).toBe(expected)", "Expected: 200", "Received: 500"],
        ),
        ([*NOISE, "java.io.IOException: gone", *NOISE[:20]], 1, ["java.io.IOException: gone"]),
        (["connection refused"] * 7, 3, ["connection refused (×7)"]),
        (["a", "b"] * 3, 3, ["a (×3)", "b (×3)"]),
        # C55
        (["Endpoint", "• Expected - status 200 but got 404", "• Expected - body"], 3,
         ["Endpoint", "Expected - status 200 but got 404", "Expected - body"]),
        (NOISE, 3, NOISE[:3]),
        ([], 3, []),
    ],
)  # fmt: skip
def test_of_a_long_message_the_lines_that_tell_are_said(lines: list[str], most: int, said: list[str]) -> None:
    assert telling("\n".join(lines), most) == said


def test_what_a_log_repeats_is_counted() -> None:
    assert quote(["connecting", *["refused"] * 7, "", "", "gave up"])[1:] == ("refused (×7)", "", "", "gave up")
    lines = [line for number in range(30) for line in ("Error: refused", f"waiting {number}", f"trying {number}")]
    assert [line for line in quote(lines) if "Error" in line] == ["Error: refused (×30)"]
