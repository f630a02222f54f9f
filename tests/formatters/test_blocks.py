"""Foreign text can neither ping, nor forge a link, nor pass a limit."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formatters.blocks import assemble, clean, code, code_block, literal, moment, section
from formatters.limits import violations

ENTITY = re.compile(r"&(?:amp|lt|gt);")


@given(st.text(), st.integers(min_value=10, max_value=400))
def test_no_text_escapes_its_escaping(text: str, limit: int) -> None:
    for made in (clean(text, limit), code(text, limit), literal(text, limit), code_block([text], 300)):
        bare = ENTITY.sub("", made)
        assert not {"<", ">", "&"} & set(bare)
    assert len(clean(text, limit)) <= limit
    assert "`" not in code(text, limit)[1:-1]


@pytest.mark.parametrize("cut", range(2990, 3010))
def test_a_cut_never_falls_into_an_entity_or_an_emoji(cut: int) -> None:
    # C09
    for unit in ("a" * 20 + "&", "👩‍👩‍👧‍👦x"):
        shown = clean(unit * 200, cut)
        assert not re.search(r"&[a-z]*$", shown.removesuffix("…"))
        assert not shown.removesuffix("…").endswith("\u200d")


@pytest.mark.parametrize("word", ["<!channel>", "@here", "@everyone", "<@U0ADA>", "<https://evil|ok>"])
def test_nothing_pings_by_accident(word: str) -> None:
    # C06
    shown = clean(word)
    assert "<" not in shown
    assert not re.search(r"@(channel|here|everyone)", shown)


@given(st.lists(st.text(min_size=1, max_size=3000), max_size=60))
def test_an_assembled_message_is_within_all_limits(texts: list[str]) -> None:
    message = assemble("A sentence.", *(section(clean(text, 2900) or "…") for text in texts))
    assert violations(message) == []


def test_every_moment_has_its_day() -> None:
    # C64
    when = datetime(2026, 11, 20, 22, 5, tzinfo=UTC)
    assert moment(when) == f"<!date^{int(when.timestamp())}^{{date_short_pretty}} {{time}}|2026-11-20 22:05 UTC>"
    sources = [file for folder in ("formatters", "commands", "bot") for file in Path(folder).rglob("*.py")]
    assert [file.name for file in sources if "<!date^" in file.read_text()] == ["blocks.py"]
