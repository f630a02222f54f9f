"""A declared value is found however it is written, and nothing else is."""

import html
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.masks import declare, masked
from bot.masks.declared import SHORTEST_DECLARED, Declared, is_too_short
from bot.masks.shapes import MASK

TOKEN = "hunter2-Declared"
ODD = 'p&ss w/"rd\\+ 100%\tGrüße 💥'
LINES = "first line of it\n  second line\nthird"
WRITINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": lambda value: json.dumps(value)[1:-1],
    "JSON, not ASCII": lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    "JSON, slashes": lambda value: json.dumps(value)[1:-1].replace("/", "\\/"),
    "JSON in JSON": lambda value: json.dumps(json.dumps(value))[1:-1],
    "JSON, every character": lambda value: (
        "".join(f"\\u{ord(one):04x}" for one in value if ord(one) < 0x1_0000)
        + "".join(json.dumps(one)[1:-1] for one in value if ord(one) >= 0x1_0000)
    ),
    "URL": quote,
    "URL, every slash": lambda value: quote(value, safe=""),
    "form": quote_plus,
    "URL in URL": lambda value: quote(quote(value, safe=""), safe=""),
    "URL in JSON": lambda value: json.dumps({"a": quote(value, safe="")}),
    "HTML": html.escape,
    "HTML, numbers": lambda value: "".join(f"&#{ord(one)};" for one in value),
    "soft hyphens": "\u00ad".join,
    "variation selectors": "\U000e0100".join,
    "fillers": "\U00016fe4".join,
    "zero width": "\u200b".join,
    "joined and tagged": "\u200d\ufe0f".join,
    "controls": "\x00".join,
    "wrapped": lambda value: f"{value[:5]}\n{value[5:9]}\r\n{value[9:]}",
    "wrapped and indented": lambda value: f"{value[:5]}\n      {value[5:9]}\n\t{value[9:]}",
    "every line indented": lambda value: "    " + value.replace("\n", "\n    "),
    "tabs as blanks": lambda value: value.expandtabs(4),
}


@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize("value", [TOKEN, ODD, LINES], ids=["a token", "an odd one", "lines"])
def test_a_value_is_found_in_any_writing(value: str, writing: str) -> None:
    written = WRITINGS[writing](value)
    shown = Declared([value]).masked(f"before {written} after")
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert MASK in shown
    assert not any(value[at : at + 5] in shown for at in range(len(value) - 5))


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode], ids=["base64", "for URLs"])
@pytest.mark.parametrize("before", range(6))
@pytest.mark.parametrize("value", [TOKEN, ODD, LINES, "secret", "??>>~~"])
def test_a_value_is_found_in_base64_wherever_it_begins(
    value: str, before: int, encode: Callable[[bytes], bytes]
) -> None:
    encoded = encode(b"u" * before + value.encode() + b":tail").decode()
    shown = Declared([value]).masked(encoded)
    assert MASK in shown
    assert len(shown) - len(MASK) <= len(encoded) - len(value.encode()) * 8 // 6 + 2
    wrapped = "\n".join(encoded[at : at + 10] for at in range(0, len(encoded), 10))
    assert MASK in Declared([value]).masked(wrapped)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (TOKEN, "HUNTER2-DECLARED hunter2-declared"),
        (TOKEN, "HUNTER2%2dDECLARED"),
    ],
)
def test_a_token_is_found_in_another_case(value: str, text: str) -> None:
    assert "2" not in Declared([value]).masked(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Passed!", "passed! PASSED!"),
        ("isthis", "is this"),
        (TOKEN, "hunter2 - declared, hunter3-declared"),
        (TOKEN, ""),
        ("short", "short"),
        ("masked", "[masked] masked"),
        ("a\nb\nc", "abc"),
    ],
)
def test_what_only_looks_a_bit_like_a_value_stays(value: str, text: str) -> None:
    assert Declared([value]).masked(text) == text


def test_all_of_a_text_but_the_values_stays_as_it_was() -> None:
    text = f"a\u00adb %41 &amp; \\u0041 {quote(TOKEN.replace('2', '%'))}  x\n {TOKEN.upper()} 100%"
    assert Declared([TOKEN]).masked(text) == text.replace(TOKEN.upper(), MASK)


def test_two_values_that_overlap_are_both_gone() -> None:
    assert Declared(["abcdefgh", "efghijkl"]).masked("x ABCDEFGHIJKL y") == "x [masked] y"


@given(st.text(min_size=SHORTEST_DECLARED, max_size=30), st.text(), st.text())
@example("      ", "", "")
def test_a_value_as_it_is_never_stays(value: str, before: str, after: str) -> None:
    shown = Declared([value]).masked(before + value + after)
    if not is_too_short(value) and value.lower() not in MASK:
        assert value not in shown.replace(MASK, "\x01")


@given(st.text(st.sampled_from('ab\\u0061%&#9;7 \n\t"/\ud83d\xad=+'), max_size=60))
def test_no_text_is_a_crash_and_twice_is_once(text: str) -> None:
    declared = Declared(["aaaaaa", "a\\u0061a%61", 'a"b/a b'])
    once = declared.masked(text)
    assert declared.masked(once) == once


def test_what_is_declared_later_is_masked_from_then_on() -> None:
    assert masked("declared-later-on") == "declared-later-on"
    declare(["declared-later-on"])
    assert masked("declared-later-on") == MASK
