"""How what a pipeline is given reads where somebody agrees to it: no two values read the same."""

import json

from bot.models.attempt import ParameterValue
from formatters.blocks import clean, code, escape

_LIKE_A_TICK = "ˋ"  # what a code span shows for a backtick
_READ_OTHERWISE = ("true", "false")


def parameter(name: str, value: ParameterValue, longest: int) -> str:
    """Return a parameter in a code span."""
    return code(f"{name}={spelled(value)}", longest)


def spelled(value: ParameterValue) -> str:
    """Return a value so that nothing of it is unseen, and text does not read as a number or as true.

    What would not show as it is stands there in JSON's spelling.
    """
    if not isinstance(value, str):
        return json.dumps(value)
    is_text = value not in _READ_OTHERWISE and not value.removeprefix("-").isdecimal() and not value.startswith('"')
    is_plain = clean(value, len(escape(value))) == escape(value) and _LIKE_A_TICK not in value
    # Of several blanks one would be shown.
    return value if is_text and is_plain else json.dumps(value).replace("  ", r"\u0020\u0020")
