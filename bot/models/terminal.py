"""What a terminal would do with a text, and nobody wants to read: colours, links, moves of the cursor.

Whoever writes a log, or a test, chooses its text, so each pattern takes time in proportion to it
(`tests/test_linear.py`). They are all patterns of `regex`, which lets other threads run while it searches.
"""

import regex

# https://www.xfree86.org/current/ctlseqs.html : OSC and its like run to their terminator, CSI to its final byte.
_STRINGS = regex.compile(r"(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?")
_CSI = regex.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?")
_ESCAPES = regex.compile(r"\x1b[ -/]*[0-~]?")
# XML can hold no escape, so that writers of test results leave it out, or write it in letters.
_IN_LETTERS = regex.compile(
    r"(?:\\u001b|\\x1b|\\033|\\e|&#(?:27|x1b);|#x1b|[\ufffd\u241b])\[[0-9;]{0,20}m", regex.IGNORECASE
)
_REMAINS = regex.compile(r"\[[0-9]{1,3}(?:;[0-9]{1,3}){0,4}m")
_RESET = regex.compile(r"\[(?:0|22|39)m")


# Most texts have none of all that, and there are thousands of them in one answer.
_ANY = regex.compile(r"[\x1b\x90\x98\x9b\x9d-\x9f]|\[[0-9;]{0,20}m")


def without_escapes(text: str) -> str:
    """Return text without what only a terminal understands."""
    if not _ANY.search(text):
        return text
    for pattern in (_STRINGS, _CSI, _ESCAPES):
        text = pattern.sub("", text)
    text = _IN_LETTERS.sub("", text)
    # `[5m` may be five minutes: it is what is left of a colour only where a colour is ended as well.
    return _REMAINS.sub("", text) if _RESET.search(text) else text
