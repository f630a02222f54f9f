"""The lines of a log that a person would quote: those that name the failure, with a little around them. Pure."""

from collections.abc import Collection, Iterator, Sequence

import regex

MOST_LINES, TAIL_LINES = 18, 12
FIRST, LAST = 5, 3  # so many telling places from the front (causes come first) and from the end (sums come last)
AROUND = (1, -1, 2, 3, -2, 4, 5, 6, 7)  # the lines beside a telling place, the nearest first
GAP = "…"
LONGEST_LOOKED_AT = 400  # characters of a line: what it says stands at its front

# What names a failure, in the words of the tools themselves.
_TELLING = regex.compile(
    r"""
      ^\s*● \s | ^\s*(?:Expected|Received)\b.*: | ^\s*✕ \s  # jest
    | ^E\s{2,} | ^(?:FAILED|ERROR)\s\S+::  # pytest
    | ^\s*---\ FAIL: | ^panic: | ^\s*\S+_test\.go:\d+: | ^FAIL\b  # go test
    | ^FAILURE:\ | ^\*\ What\ went\ wrong | ^e:\ | \.(?:java|kt):\d+:\ error:  # gradle
    | ^\s*error(?:\[E\d+\])?:\ | ^\s*thread\ '.*'\ panicked\ at | ^test\ .*\.\.\.\ FAILED  # cargo
    | ^(?:\#\d+\ )?(?:[\d.]+\ )?ERROR:?\ | failed\ to\ solve | \|\ >>>  # docker build
    | ^npm\ (?:ERR!|error)\ (?:code|errno|network|command|syscall|404|A\ complete)  # npm
    | \bKilled\s*$ | \b\d+\s+Killed\b | out\ of\ memory | OOMKilled | \b(?:code|status)\ 137\b  # out of memory
    | too\ long\ with\ no\ output | context\ deadline\ exceeded  # no output
    | ^\s*(?:[│|]\s*)?Error:\  # terraform
    | ^\s*(?:fatal|panic|Traceback\ \(most\ recent\ call\ last\))\b
    | ^\s*(?:\w++\.)*+\w*?(?:Error|Exception)\b\s*(?::|$)
    """,
    regex.VERBOSE | regex.IGNORECASE,
)
_SUSPECT = regex.compile(
    r"\b(?:errors?|failed|failure|fatal|exception|denied|refused|cannot|could not|unable to|not found|timed out)\b",
    regex.IGNORECASE,
)
_HARMLESS = regex.compile(
    r"\b(?:0|no)\s+(?:errors?|fail(?:ed|ures?))\b|\b(?:fail(?:ed|ures?)|errors?)\s*[:=]\s*0\b|--\w*(?:fail|error)"
    r"|^\s*npm (?:ERR!|error)\s*$|\bwarn(?:ing)?\b",
    regex.IGNORECASE,
)


def quote(lines: Sequence[str]) -> tuple[str, ...]:
    """Return at most `MOST_LINES` lines that tell why it failed, in their order, `…` where some are left out.

    A short log is returned whole, one in which nothing tells anything as its end.
    """
    if len(lines) <= MOST_LINES:
        return tuple(lines)
    telling = _found(lines, _TELLING) or _found(lines, _SUSPECT)
    if not telling:
        return (GAP, *lines[-TAIL_LINES:])
    return tuple(_with_gaps(lines, _chosen(telling, len(lines))))


def _found(lines: Sequence[str], pattern: "regex.Pattern[str]") -> list[int]:
    return [
        number
        for number, line in enumerate(lines)
        if pattern.search(line[:LONGEST_LOOKED_AT]) and not _HARMLESS.search(line[:LONGEST_LOOKED_AT])
    ]


def _chosen(telling: Sequence[int], total: int) -> list[int]:
    """Return the numbers of the lines to quote: the telling ones first, then what stands around them."""
    places = list(dict.fromkeys([*telling[:FIRST], *telling[-LAST:]]))
    kept = dict.fromkeys(places)
    around = [place + step for step in AROUND for place in places]
    for number in around:
        if len(kept) >= MOST_LINES:
            break
        if 0 <= number < total:
            kept.setdefault(number)
    return sorted(kept)


def _with_gaps(lines: Sequence[str], chosen: Collection[int]) -> Iterator[str]:
    before = -1
    for number in chosen:
        if number != before + 1:
            yield GAP
        yield lines[number]
        before = number
    if before != len(lines) - 1:
        yield GAP
