"""A step's raw output made readable and safe to show.

Whoever writes a log chooses its text, so each pattern takes time in proportion to it (`tests/test_linear.py`). They are
all patterns of `regex`, which lets other threads run while it searches; `re` would hold up every ack meanwhile.
"""

from collections.abc import Iterable

import regex

LONGEST_LINE = 1000
MASK = "[masked]"
SHORTEST_DECLARED = 6  # what is shorter stands in half of all words
_declared: set[str] = set()

# https://www.xfree86.org/current/ctlseqs.html : OSC and its like run to their terminator, CSI to its final byte.
_STRINGS = regex.compile(r"(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?")
_CSI = regex.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?")
_ESCAPES = regex.compile(r"\x1b[ -/]*[0-~]?")
_LINE_ENDS = regex.compile("(?<!\r)\r+\n|[\u2028\u2029\x85]")
# Controls, and what turns the direction of text or is not seen at all.
_INVISIBLE = regex.compile("[\x00-\x07\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_SURROGATES = regex.compile("[\ud800-\udfff]")

_KEY_BLOCK = regex.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", regex.DOTALL
)
_KEY_END = regex.compile(r"\A.*-----END [A-Z0-9 ]*PRIVATE KEY-----", regex.DOTALL)
# Three parts, of which the first may stand behind other letters. Only the first `eyJ` of a run of them is tried: where
# that one leads nowhere, none behind it does, and to try each would take quadratic time.
_WEB_TOKEN = regex.compile(
    r"""
    (?<![\w-]) ((?>[\w-]*?(?=(?<![A-Za-z0-9_])eyJ))) eyJ[\w-]{8,}+ \.eyJ[\w-]{8,}+ \.[\w-]+
    """,
    regex.VERBOSE,
)
_TOKENS = regex.compile(
    r"""
    (?<![A-Za-z0-9_])(?:
        (?:xox[a-z](?:\.xox[a-z])?|xapp)-[\w.-]{8,}
      | (?:gh[a-z]_|github_pat_)\w{20,}
      | glpat-[\w-]{20,}
      | (?:AKIA|ASIA)[0-9A-Z]{16}(?![A-Za-z0-9_])
      | CCI(?:PAT|PRJ)_\w{8,}
      | npm_\w{30,}
      | pypi-[\w-]{30,}
      | [rs]k_live_\w{16,}
      | sk-[\w-]{20,}
    )
    | (?<=hooks\.slack\.com/services/)[\w/]+
    """,
    regex.VERBOSE,
)
_NAMED = regex.compile(
    r"""
    ( (?<![a-z0-9_])(?:
          bearer\s+
        | authorization["']?\s*[:=]\s*["']?(?:basic|token)\s+
        | (?:circle-token|circle(?:ci)?_(?:api_)?token|aws_secret_access_key)["']?\s*[:=]\s*["']?
      )
    | [?&]x-amz-(?:signature|credential|security-token)= | [?&]signature=
    )
    [^\s"'&\[\]]{8,}
    """,
    regex.VERBOSE | regex.IGNORECASE,
)
_USER_INFO = regex.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)")


def tail(text: str, lines: int) -> tuple[str, ...]:
    """Return the last `lines` lines of `text` as a terminal would show them, without secrets of a well-known shape."""
    shown = masked("\n".join(_line(line) for line in _plain(text).split("\n"))).rstrip()
    if not shown or lines < 1:
        return ()
    return tuple(_shortened(line) for line in shown.split("\n")[-lines:])


def declare(values: Iterable[str]) -> None:
    """From now on, mask these values too, in whatever shape: our own credentials, and those of the settings."""
    _declared.update(value for value in values if len(value) >= SHORTEST_DECLARED)


def masked(text: str) -> str:
    """Replace what is declared or looks like a credential; CircleCI masks only the variables it was told about."""
    for value in _declared:
        text = text.replace(value, MASK)
    text = _KEY_BLOCK.sub(MASK, text)
    text = _KEY_END.sub(MASK, text)
    text = _WEB_TOKEN.sub(rf"\1{MASK}", text)
    text = _TOKENS.sub(MASK, text)
    text = _NAMED.sub(rf"\1{MASK}", text)
    return _USER_INFO.sub(MASK, text)


def _plain(text: str) -> str:
    for pattern in (_STRINGS, _CSI, _ESCAPES):
        text = pattern.sub("", text)
    return _SURROGATES.sub("\ufffd", _LINE_ENDS.sub("\n", text))


def _line(line: str) -> str:
    """Resolve redraws (the last one wins) and backspaces."""
    drawn = [part for part in line.split("\r") if part.strip()]
    line = drawn[-1] if drawn else ""
    if "\b" in line:
        kept: list[str] = []
        for character in line:
            if character != "\b":
                kept.append(character)
            elif kept:
                kept.pop()
        line = "".join(kept)
    return _INVISIBLE.sub("", line.expandtabs(4)).rstrip()


def _shortened(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"
