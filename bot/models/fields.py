"""What the fields of our models hold: text as it is, prose without secrets, times; and the model all of them are."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeAlias

import regex
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WrapValidator, field_validator
from pydantic_core.core_schema import ValidatorFunctionWrapHandler

from bot.masks import masked
from bot.models.terminal import without_escapes

LONGEST_PROSE = 20_000
CUT_AWAY = 1_000  # a secret that the end of a text was cut from is known by nothing
LONGEST_RUN = timedelta(days=3650)

# Half of a character, which JSON can write and nothing else can: no record could be made of it.
_SURROGATES = regex.compile("[\ud800-\udfff]")


def _text(value: object) -> object:
    """Read null as empty text: CircleCI writes "", null and nothing at all for the same absence."""
    return "" if value is None else value


def prose(text: str) -> str:
    """Return what may be shown and kept of a text that somebody chose: without secrets, nor a terminal's escapes."""
    is_long = len(text) > LONGEST_PROSE
    text = _SURROGATES.sub("\ufffd", without_escapes(text[:LONGEST_PROSE]))
    return masked(text)[: LONGEST_PROSE - CUT_AWAY] + "…" if is_long else masked(text)


def _or_none(value: object, read: ValidatorFunctionWrapHandler) -> object:
    """Read a number that no job can have as none."""
    try:
        return read(value)
    except ValueError:
        return None


def _utc(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)


# What an act, a request or an address needs is exact; all else is prose, and masked where it is read: neither Slack
# nor Redis sees a secret that somebody wrote into it. `tests/models/test_prose.py` knows which field is which.
Text: TypeAlias = Annotated[str, BeforeValidator(_text)]
Words: TypeAlias = Annotated[str, AfterValidator(prose)]
Prose: TypeAlias = Annotated[Words, BeforeValidator(_text)]

Time: TypeAlias = Annotated[datetime, AfterValidator(_utc)]
Seconds: TypeAlias = Annotated[
    Annotated[float, Field(ge=0, le=LONGEST_RUN.total_seconds(), allow_inf_nan=False)] | None, WrapValidator(_or_none)
]
Milliseconds: TypeAlias = Annotated[
    Annotated[int, Field(ge=0, le=LONGEST_RUN // timedelta(milliseconds=1))] | None, WrapValidator(_or_none)
]


class Model(BaseModel):
    """Frozen, and deaf to fields we do not use."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    @field_validator("*")
    @classmethod
    def _of_whole_characters(cls, value: object) -> object:
        if isinstance(value, tuple):
            return tuple(map(_whole, value))
        return {_whole(name): one for name, one in value.items()} if isinstance(value, dict) else _whole(value)


def _whole(value: object) -> object:
    return _SURROGATES.sub("\ufffd", value) if type(value) is str else value  # an enumeration is whole
