"""A long document, read window by window, says what it says as a whole."""

import json
import re
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bot.circleci.documents import LONG, MOST_VALUES, Document, parsed
from bot.errors import TooLarge

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=15,
)


@given(JSON, st.integers(30, 60), st.sampled_from([None, 0, 3]), st.booleans())
@example([[], {}, "", 0, -1.5e3, [[12345]]], 10, 2, True)
@example({"a": [1, 2, "😀"], "b": {}}, 11, None, True)
def test_every_document_reads_alike_through_any_window(
    value: Any, window: int, indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert Document(f" {text}\n", window=window).read() == value


@given(st.text(st.sampled_from('[]{}",:0123e-.\\ntrufals \t'), max_size=80), st.integers(10, 20))
@example('{"a":1,}', 2)
@example("[1,]", 1)
@example("[1 2]", 1)
@example("1 1", 1)
@example('{1:"a"}', 1)
@example("-", 1)
def test_what_is_no_document_is_none_through_any_window(text: str, window: int) -> None:
    assume(not re.search(rf"[0-9e.-]{{{window - 3},}}", text))  # a number must fit into a window
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(ValueError, match=":"):
            Document(text, window=window).read()
    else:
        assert Document(text, window=window).read() == expected


def test_a_long_document_is_read() -> None:
    value = {"items": [{"name": f"it works {number} ✓", "result": "success"} for number in range(20_000)], "more": None}
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        body = json.dumps(value, ensure_ascii=False).encode(encoding)
        assert len(body) > LONG
        assert parsed(body) == value


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"0," * MOST_VALUES + b"0]",
        b"[" + b"[]," * MOST_VALUES + b"0]",
        b'["' + b"x" * 8_000_000 + b'"]',
    ],
    ids=["numbers", "lists", "a string"],
)
def test_what_would_take_too_much_memory_or_time_is_too_large(body: bytes) -> None:
    with pytest.raises(TooLarge):
        parsed(body)


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 600_000, b"[" * 600_000 + b"]" * 600_000])
def test_a_deep_document_is_none_that_can_be_read(body: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        parsed(body)


@pytest.mark.parametrize("window", range(20, 40))
def test_a_number_is_never_cut_by_a_window(window: int) -> None:
    value = [0, -1.5, 12.25e10, 1e300, 5e-9, 123456, 0.5]
    assert Document(json.dumps(value), window=window).read() == value
