"""What looks like a credential, or is declared to be one, taken out of a text: one place for all that is kept or shown.

Whoever writes a log chooses its text, so each pattern takes time in proportion to it (`tests/test_linear.py`). They are
all patterns of `regex`, which lets other threads run while it searches; `re` would hold up every ack meanwhile.
"""

from collections.abc import Iterable

import regex

MASK = "[masked]"
SHORTEST_DECLARED = 6  # what is shorter stands in half of all words
_declared: set[str] = set()

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
