"""Data as lines to read, which say exactly the same; what is foreign stands in quotes that it cannot close."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_AS_JSON = "arguments"  # they are copied into a call
FOREIGN = "quoted"  # what the name of each field begins with that holds words of strangers


def as_text(data: Mapping[str, Any]) -> str:
    """Return data as short lines."""
    return "\n".join(_fields(data, ""))


def _fields(data: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, value in data.items():
        if isinstance(value, Mapping) and not _is_flat(value) and name != _AS_JSON:
            yield f"{indent}{name}:"
            yield from _fields(value, f"{indent}  ")
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield from _entries(name, value, indent)
        else:
            yield f"{indent}{name}: {_inline(name, value)}"


def _entries(name: str, entries: Sequence[Any], indent: str) -> Iterator[str]:
    if all(isinstance(one, int) or (isinstance(one, str) and not name.startswith(FOREIGN)) for one in entries):
        yield f"{indent}{name}: {', '.join(_inline(name, one) for one in entries)}"
        return
    yield f"{indent}{name}:"
    for one in entries:
        if not isinstance(one, Mapping) or _is_flat(one):
            yield f"{indent}- {_inline(name, one)}"
        else:
            first, *rest = _fields(one, f"{indent}  ")
            yield f"{indent}- {first.strip()}"
            yield from rest


def _is_flat(value: Mapping[str, Any]) -> bool:
    return all(not isinstance(one, Mapping | list | tuple) for one in value.values())


def _inline(name: str, value: Any) -> str:
    if isinstance(value, Mapping) and name != _AS_JSON:
        return " · ".join(f"{key}: {_inline(key, one)}" for key, one in value.items()) or "none"
    is_ours = isinstance(value, str) and not name.startswith(FOREIGN)
    return value if is_ours else json.dumps(value, ensure_ascii=False)
