"""Failures that no change of code can be blamed for: statuses, and lines of logs, by named patterns. Pure."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import regex

from bot.models.circleci import Job

# https://circleci.com/docs/guides/orchestrate/jobs-steps/ and facts about statuses: a rerun is worth a try.
LOST = {
    "infrastructure_fail": "the machine was lost",
    "terminated-unknown": "the machine was lost",
    "timedout": "timed out",
    "unauthorized": "a context is not allowed",
}

# Each says what a person would call it. They are looked for in the lines that tell why a step failed, ignoring case.
PATTERNS = {
    "no output": r"too long with no output|no output (?:was )?received for",
    "time limit": r"context deadline exceeded|job (?:was )?timed out|exceeded the maximum (?:run|job) ?time",
    "lost runner": (
        r"(?:runner|agent|executor|instance|machine) (?:has been |was )?(?:lost|terminated|preempted|evicted)"
        r"|lost (?:communication|connection) with the (?:server|runner|agent)|spot instance|node was (?:low|drained)"
    ),
    "connection lost": (
        r"\bECONNRESET\b|\bECONNREFUSED\b|\bEPIPE\b|connection (?:was )?(?:reset|refused|closed) by|connection reset"
        r"|connection refused|connection timed out|broken pipe|socket hang up|unexpected EOF|remote end hung up"
        r"|peer went away|RemoteDisconnected|early EOF"
    ),
    "network time-out": (
        r"\bETIMEDOUT\b|\bESOCKETTIMEDOUT\b|i/o timeout|read timed out|connect timed out|TLS handshake timeout"
        r"|net/http: request canceled|network (?:is unreachable|timeout)"
        r"|\bERR_SOCKET_TIMEOUT\b|Client\.Timeout exceeded"
    ),
    "name not resolved": (
        r"\bENOTFOUND\b|\bEAI_AGAIN\b|could not resolve host|temporary failure in name resolution"
        r"|name or service not known|no such host|getaddrinfo failed"
    ),
    "registry or mirror down": (
        r"(?:status|code|error|HTTP(?:/[\d.]+)?|response)\D{0,20}\b50[0234]\b|\b50[0234] (?:bad gateway|service"
        r"|gateway|internal server)|\b(?:bad gateway|gateway time-?out|service unavailable)\b|toomanyrequests"
        r"|too many requests|pull rate limit"
    ),
    "disk full": r"no space left on device|\bENOSPC\b",
}


class Pattern(NamedTuple):
    """What to call it, and what to look for."""

    name: str
    expression: "regex.Pattern[str]"


def compiled(more: Mapping[str, str] | None = None) -> tuple[Pattern, ...]:
    """Return our patterns and those of the settings, which go first; raises ValueError for one that is none."""
    found = []
    for name, expression in {
        **(more or {}),
        **{key: one for key, one in PATTERNS.items() if key not in (more or {})},
    }.items():
        try:
            found.append(Pattern(name, regex.compile(expression, regex.IGNORECASE)))
        except regex.error as error:
            raise ValueError(f"{name!r} is no regular expression: {error}") from None
    return tuple(found)


OURS = compiled()
_NO_CAUSE = regex.compile(r"\bwarn(?:ing)?\b|\bretry(?:ing)?\b|\btrying\b|\battempt \d+ of", regex.IGNORECASE)


def cause_in(lines: Iterable[str], patterns: Iterable[Pattern]) -> str:
    """Return the name of the first pattern that a line fits; empty text for none.

    A warning, and a try that was followed by another, is no cause. A pattern that takes too long is passed over.
    """
    text = "\n".join(line for line in lines if not _NO_CAUSE.search(line))
    for name, expression in patterns:
        try:
            if expression.search(text, timeout=0.2):
                return name
        except TimeoutError:
            continue
    return ""


def cause_of(job: Job) -> str:
    """Return why a job is CircleCI's trouble by its status alone; empty text for one that failed by itself."""
    return LOST.get(job.status, "")
