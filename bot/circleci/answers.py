"""What an HTTP response means: an Answer, a model, or one of our errors; no I/O."""

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from bot.circleci.documents import parsed
from bot.errors import CircleCIError, RateLimited, Rejected, Unauthorized, Unavailable
from bot.masks import MASK
from bot.models.fields import prose

NO_WAIT = timedelta(0)
GUESSED_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(hours=1)
LONGEST_IN_TROUBLE = timedelta(minutes=1)  # what has troubles of its own does not know when they are over
LONGEST_MESSAGE = 500
UNREADABLE = "an answer that cannot be read"

# It takes an address without a query too: to pass over one would mean to look through it from each `http` in it.
_ADDRESS = re.compile(r"(https?://[^\s?#\"'<>]*+)(?:[?#][^\s\"'<>]*+)?")
_REMAINING = re.compile(r"(?:x-)?ratelimit-remaining(-\w+)?", re.IGNORECASE)
_RESET = re.compile(r"(?:x-)?ratelimit-reset(-\w+)?", re.IGNORECASE)
EPOCH_SECONDS = 10**9  # what is as large is a moment and no wait

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx: its decoded body (None when empty), the time on CircleCI's clock, and how many bytes the body had."""

    status: int
    data: Any
    date: datetime
    size: int = 0


def answer(response: httpx.Response, *, secret: str, now: datetime) -> Answer:
    """Return what a response says; raises the error its status stands for, without `secret` and addresses' queries.

    `now` is our clock, for a response without a date.
    """
    date = _date(response.headers.get("date", "")) or now
    if not response.is_success:
        raise _error(response, date, secret)
    content = response.content
    try:
        return Answer(response.status_code, parsed(content) if content.strip() else None, date, len(content))
    except (ValueError, RecursionError):
        raise Unavailable(UNREADABLE) from None


def asked_to_wait(response: httpx.Response, *, now: datetime) -> timedelta:
    """Return how long CircleCI asks everybody to wait: after a 429 or a 503, or when an answer was the last allowed.

    A refusal of one request says nothing about those of others: anybody may make one, of what is anybody's.
    """
    headers, status = response.headers, response.status_code
    date = _date(headers.get("date", "")) or now
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _retry_after(headers, date)
    if response.is_client_error:
        return NO_WAIT
    last = _reset(headers, date) if _used_up(headers) else NO_WAIT
    if not response.is_server_error:
        return last
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        last = _bounded(_wait(headers.get("retry-after", ""), date) or NO_WAIT)
    return min(last, LONGEST_IN_TROUBLE)


def _used_up(headers: httpx.Headers) -> set[str]:
    """Return the limits that are used up, by what they are counted in: `-second`, `-hour`, or empty text."""
    left = ((found[1], _number(value)) for name, value in headers.items() if (found := _REMAINING.fullmatch(name)))
    return {(of or "").lower() for of, number in left if number is not None and number <= 0}


def decode(model: type[M], data: object) -> M:
    """Return `data` as `model`; raises Unavailable when it is none, without a word of the data."""
    try:
        return model.model_validate(data)
    except (ValidationError, RecursionError):
        # Not as its cause: pydantic quotes the data, and an answer may hold secrets.
        raise Unavailable(f"an answer that is no {model.__name__}") from None


def items(page: Answer) -> tuple[list[Any], str]:
    """Return a page of a list and the token of the next one; raises Unavailable for a 2xx that is no list."""
    data = page.data if isinstance(page.data, dict) else {}
    found = data.get("items")
    if not isinstance(found, list):
        raise Unavailable("no list came")
    return found, str(data.get("next_page_token") or "")


def segments(*parts: object) -> str:
    """Join `parts` to a path, each quoted whole, so that `release/v2.0` stays one segment.

    Raises Rejected for a part that no server would see: an empty one or a dot segment.
    """
    texts = [str(part) for part in parts]
    for text in texts:
        # Quoting does not help: %2E%2E is a dot segment too, and clients fold it away, https://url.spec.whatwg.org/
        if text in {"", ".", ".."}:
            raise Rejected(404, f'"{text}" is not a name')
    return "/".join(quote(text, safe="", errors="replace") for text in texts)


def project_path(slug: str, *rest: object) -> str:
    """Return the path of something in a project; the slashes of `slug` are real ones.

    An encoded slug is a 404 in some places (CircleCI-Archived/api-preview-docs#44).
    """
    parts = slug.split("/")
    if len(parts) != 3:
        raise Rejected(404, "Project not found")
    return segments("project", *parts, *rest)


def without_queries(text: str) -> str:
    """Cut the query and the fragment off each address in `text`."""
    return _ADDRESS.sub(r"\1", text)


def phrase(status: int) -> str:
    """Return a status in words."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"HTTP {status}"


def _error(response: httpx.Response, date: datetime, secret: str) -> CircleCIError:
    status = response.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimited(_retry_after(response.headers, date))
    if status >= 500:
        return Unavailable(phrase(status))
    if response.has_redirect_location:
        location: str = response.headers["location"]
        message = f"it points to {location.partition('?')[0].partition('#')[0]}"
    else:
        message = without_queries(" ".join(_words(_text(response)).split())) or phrase(status)
    if secret:
        message = message.replace(secret, MASK)
    message = prose(message)[:LONGEST_MESSAGE]
    return Unauthorized(message) if status == HTTPStatus.UNAUTHORIZED else Rejected(status, message)


def _text(response: httpx.Response) -> str:
    # As UTF-8, whatever it says it is: `charset` may name codecs that are none of text.
    return response.content.decode(errors="replace").removeprefix("\ufeff")


def _words(body: str) -> str:
    """Return CircleCI's own words, which a document of GitHub's may be wrapped in; nothing for a page of HTML."""
    while body.lstrip().startswith("{"):
        try:
            body = json.loads(body).get("message")
        except (ValueError, RecursionError):
            return ""
        if not isinstance(body, str):
            return ""
    return "" if body.lstrip().startswith(("<", "{", "[")) else body


def _retry_after(headers: httpx.Headers, date: datetime) -> timedelta:
    """Return how long to wait: `Retry-After` in either form, else a reset in seconds, else a guess.

    https://circleci.com/docs/api-developers-guide/#rate-limits ; a reset of 0 was recorded, and says nothing.
    """
    wait = _wait(headers.get("retry-after", ""), date)
    return _bounded(wait) if wait is not None else _reset(headers, date) or GUESSED_WAIT


def _reset(headers: httpx.Headers, date: datetime) -> timedelta:
    """Return when more is allowed again: the later of several, for the lower limit counts.

    Where it is said which are used up, the resets of these count alone; one without a unit may be of any.
    """
    found = [(of[1] or "", _wait(value, date)) for name, value in headers.items() if (of := _RESET.fullmatch(name))]
    resets, used_up = [(of.lower(), wait) for of, wait in found if wait], _used_up(headers)
    its_own = [wait for of, wait in resets if of in used_up] or [wait for of, wait in resets if not of]
    return _bounded(max(its_own if used_up and its_own else [wait for _, wait in resets], default=NO_WAIT))


def _wait(value: str, date: datetime) -> timedelta | None:
    """Return a time to wait, given in seconds or as a date; None for nonsense, as a number below 0 is."""
    if (seconds := _number(value)) is None:
        when = _date(value)
        return None if when is None else max(when - date, NO_WAIT)
    if seconds >= EPOCH_SECONDS:
        seconds = max(seconds - date.timestamp(), 0)
    return timedelta(seconds=min(seconds, LONGEST_WAIT.total_seconds())) if seconds >= 0 else None


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _bounded(wait: timedelta) -> timedelta:
    return min(max(wait, NO_WAIT), LONGEST_WAIT)


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
