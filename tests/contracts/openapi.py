"""Holds what was sent to CircleCI, and what the pretend one answered, against CircleCI's own descriptions.

The descriptions are copies of circleci-docs (MIT): v2 of 2025-05-14, v1.1 of 2025-06-10.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from jsonschema import Draft202012Validator

from playground.faults import SeenRequest

Json = dict[str, Any]
HERE = Path(__file__).parent
FILES = {"/api/v2": "circleci-v2.openapi.json", "/api/v1.1": "circleci-v1.1.openapi.json"}

# Where the description is wrong or behind, and how we know.
KNOWN_DEFECTS: dict[str, str] = {
    r"is not one of \['success', 'running', 'not_run'": "newer statuses exist; a status is an open string",
    r"'vcs-type' is a required property": "recorded as vcs_type (2023)",
    r"'(flaky-tests|total-flaky-tests)' is a required": "answered in snake_case (mcp-server-circleci#23)",
    r"status 201 is not described": "recorded for variables and keys of v1.1 (2017, 2019)",
    r"started_at: None is not of type": "a blocked job has started_at null (facts 10.13)",
}
# Lists take the first where they answer next_page_token; the others are in the text of the v1.1 reference alone.
NULLS_OF_CLASSIC = r"^(\d+/)?\w+: None is not"  # v1.1 leaves most nulls out of its description (facts 1.3)
UNDECLARED_PARAMETERS = {"page-token", "limit", "shallow"}


# In the older description of v1 alone, whose schemas are of no use, or in the reference's text (facts 1.3).
UNDESCRIBED = re.compile(
    r"DELETE \S+/build-cache|POST \S+/user/heroku-key|GET \S+/tree/[^/]+|POST /api/v1.1/project/[^/]+/[^/]+/[^/]+"
)


def problems(seen: SeenRequest) -> list[str]:
    """Return where a request, or the pretend CircleCI's answer to it, is not as CircleCI describes it."""
    address = urlsplit(seen.path)
    base = next((base for base in FILES if address.path.startswith(base + "/")), None)
    if base is None:
        return []  # storage: logs and artifacts
    if UNDESCRIBED.fullmatch(f"{seen.method} {address.path}"):
        return []
    found = _operation(base, seen.method, address.path.removeprefix(base))
    if found is None:
        return [f"{seen.method} {address.path}: no such path"]
    where = f"{seen.method} {address.path}"
    return [
        f"{where}: {one}" for one in _all(base, found, seen, dict(parse_qsl(address.query))) if not _known(base, one)
    ]


def _all(base: str, operation: Json, seen: SeenRequest, query: Mapping[str, str]) -> Iterator[str]:
    declared = {one["name"] for one in operation.get("parameters", []) if one.get("in") == "query"}
    for name in set(query) - declared - UNDECLARED_PARAMETERS:
        yield f"undeclared parameter {name}"
    body = _schema(operation.get("requestBody") or {})
    if seen.body is not None and body is not None:
        yield from _against(base, body, seen.body)
    if seen.answer is None or seen.spoiled:
        return
    responses = operation["responses"]
    answer = responses.get(str(seen.status)) or responses.get("default")
    if answer is None:
        if seen.status < 400:
            yield f"status {seen.status} is not described"
        return
    schema = _schema(answer)
    if schema is not None:
        yield from _against(base, schema, seen.answer)


def _against(base: str, schema: Json, value: Any) -> tuple[str, ...]:
    return _errors(base, json.dumps(schema), json.dumps(value))


@cache
def _errors(base: str, schema: str, value: str) -> tuple[str, ...]:
    """Return what is wrong with a value; by their text, since what stands still is read again and again."""
    document = {**_description(base), **_nullable(json.loads(schema))}
    found = Draft202012Validator(document).iter_errors(json.loads(value))
    return tuple(f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}" for error in found)


def _known(base: str, problem: str) -> bool:
    if base == "/api/v1.1" and re.search(NULLS_OF_CLASSIC, problem):
        return True
    return any(re.search(pattern, problem) for pattern in KNOWN_DEFECTS)


def _schema(part: Json) -> Json | None:
    schema: Json | None = (part.get("content") or {}).get("application/json", {}).get("schema")
    return schema


@cache
def _description(base: str) -> Json:
    described: Json = json.loads((HERE / FILES[base]).read_text(encoding="utf-8"))
    # `components` stays where `$ref` looks for it; the rest of the document is no schema.
    return {"components": _nullable(described.get("components", {}))}


@cache
def _paths(base: str) -> list[tuple[re.Pattern[str], Json]]:
    described = json.loads((HERE / FILES[base]).read_text(encoding="utf-8"))
    # Literal segments win over parameters, as `envvar` over `{build_num}`.
    ordered = sorted(described["paths"].items(), key=lambda item: item[0].count("{"))
    return [(re.compile(_pattern(path)), methods) for path, methods in ordered]


def _pattern(path: str) -> str:
    slug = path.replace("{project-slug}", "\0")
    return re.sub(r"\{[^}]*\}", "[^/]+", re.escape(slug).replace(r"\{", "{").replace(r"\}", "}")).replace(
        "\0", "[^/]+/[^/]+/[^/]+"
    )


def _operation(base: str, method: str, path: str) -> Json | None:
    for pattern, methods in _paths(base):
        if pattern.fullmatch(path) and method.lower() in methods:
            operation: Json = methods[method.lower()]
            return operation
    return None


def _nullable(schema: Any) -> Any:
    """Say `x-nullable` and `nullable` the way JSON Schema does."""
    if isinstance(schema, list):
        return [_nullable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _nullable(one) for name, one in schema.items()}
    if (schema.get("x-nullable") or schema.get("nullable")) and isinstance(schema.get("type"), str):
        made["type"] = [schema["type"], "null"]
    return made
