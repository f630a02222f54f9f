"""Rules about raw JSON, made of smaller ones; each yields what Slack would complain about and where."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import NamedTuple


class Complaint(NamedTuple):
    """One thing Slack refuses; `str()` is Slack's own wording with its JSON pointer."""

    message: str
    pointer: str

    def __str__(self) -> str:
        return f"{self.message} [json-pointer:{self.pointer}]"


_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:\S+$", re.IGNORECASE)
Rule = Callable[[object, str], Iterator[Complaint]]


def anything(_value: object, _pointer: str) -> Iterator[Complaint]:
    """Accept whatever stands there."""
    return iter(())


def string(most: int, least: int = 1) -> Rule:
    """Accept text of `least` to `most` characters."""

    def rule(value: object, pointer: str) -> Iterator[Complaint]:
        if not isinstance(value, str):
            yield Complaint("must provide a string", pointer)
        elif len(value) < least:
            yield Complaint(f"must be more than {least - 1} characters", pointer)
        elif len(value) > most:
            yield Complaint(f"must be less than {most + 1} characters", pointer)

    return rule


def address(value: object, pointer: str) -> Iterator[Complaint]:
    """Accept a URL of at most 3,000 characters."""
    yield from string(3000)(value, pointer)
    if isinstance(value, str) and not _SCHEME.match(value):
        yield Complaint("must provide a valid URL", pointer)


def boolean(value: object, pointer: str) -> Iterator[Complaint]:
    """Accept true and false."""
    if not isinstance(value, bool):
        yield Complaint("must provide a boolean", pointer)


def number(least: float, most: float) -> Rule:
    """Accept a number in a range."""

    def rule(value: object, pointer: str) -> Iterator[Complaint]:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            yield Complaint(f"must provide a number between {least} and {most}", pointer)

    return rule


def one_of(*values: str) -> Rule:
    """Accept one of a few words."""

    def rule(value: object, pointer: str) -> Iterator[Complaint]:
        if value not in values:
            yield Complaint(f"must be one of: {', '.join(values)}", pointer)

    return rule


def items(each: Rule, most: int, least: int = 1) -> Rule:
    """Accept a list of `least` to `most` things."""

    def rule(value: object, pointer: str) -> Iterator[Complaint]:
        if not isinstance(value, list):
            yield Complaint("must provide an array", pointer)
            return
        if len(value) > most:
            yield Complaint(f"no more than {most} items allowed", pointer)
        if len(value) < least:
            yield Complaint(f"no fewer than {least} items allowed", pointer)
        for index, item in enumerate(value):
            yield from each(item, f"{pointer}/{index}")

    return rule


def shape(required: Mapping[str, Rule], optional: Mapping[str, Rule] | None = None) -> Rule:
    """Accept an object with these fields and no others; Slack refuses a field it does not know."""
    known = {**required, **(optional or {})}

    def rule(value: object, pointer: str) -> Iterator[Complaint]:
        if not isinstance(value, dict):
            yield Complaint("must provide an object", pointer)
            return
        for name in required:
            if name not in value:
                yield Complaint(f"missing required field: {name}", pointer)
        for name, content in value.items():
            if name in known:
                yield from known[name](content, f"{pointer}/{name}")
            else:
                yield Complaint(f"invalid additional property: {name}", f"{pointer}/{name}")

    return rule


def kinds(shapes: Mapping[str, Rule], allowed: Collection[str] | None = None) -> Rule:
    """Accept an object whose `type` is known, and allowed here."""

    def rule(value: object, pointer: str) -> Iterator[Complaint]:
        if not isinstance(value, dict):
            yield Complaint("must provide an object", pointer)
            return
        kind = value.get("type")
        if not isinstance(kind, str) or kind not in shapes or (allowed is not None and kind not in allowed):
            yield Complaint(f"unsupported type: {kind}", f"{pointer}/type")
            return
        yield from shapes[kind](value, pointer)

    return rule


def both(*rules: Rule) -> Rule:
    """Accept what all the rules accept."""

    def rule(value: object, pointer: str) -> Iterator[Complaint]:
        for one in rules:
            yield from one(value, pointer)

    return rule


def either(*names: str) -> Rule:
    """Accept an object that has at least one of these fields."""

    def rule(value: object, pointer: str) -> Iterator[Complaint]:
        if isinstance(value, dict) and not any(value.get(name) for name in names):
            yield Complaint(f"missing required field: {' or '.join(names)}", pointer)

    return rule
