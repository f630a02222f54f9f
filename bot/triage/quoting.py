"""The lines of a log, or of a test's message, that a person would quote: those that name the failure. Pure."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

import regex

MOST_LINES, TAIL_LINES = 18, 12
FIRST, LAST = 5, 3  # so many telling places from the front (causes come first) and from the end (sums come last)
AROUND = (1, -1, 2, 3, -2, 4, 5, 6, 7)  # the lines beside a telling place, the nearest first
GAP = "…"
LONGEST_LOOKED_AT = 400  # characters of a line: what it says stands at its front
OFTEN = 3  # times, from where on the lines of a log are counted and not shown
BULLETS = "•◦▪‣· \t"

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


# What a test expected, and what it got.
_ASSERTED = regex.compile(
    r"\bassert|\bexpect(?:ed|\()|\b(?:received|actual|got)\b|\bbut was\b|^E\s|\bto (?:equal|be|have)\b",
    regex.IGNORECASE,
)


def quote(log: Sequence[str]) -> tuple[str, ...]:
    """Return at most `MOST_LINES` lines that tell why it failed, in their order, `…` where some are left out.

    A short log is returned whole, one in which nothing tells anything as its end. What repeats is counted.
    """
    lines = _in_rows(log)
    if len(lines) <= MOST_LINES:
        return tuple(lines)
    telling = _found(lines, _TELLING) or _found(lines, _SUSPECT)
    if not telling:
        return (GAP, *lines[-TAIL_LINES:])
    return tuple(_with_gaps(*_counted(lines, telling)))


def telling(message: str, most: int) -> list[str]:
    """Return the lines of a test's message that tell why it failed, wherever they stand; its first where none does.

    They come in their order, each once with how often it is there, without bullets of their own.
    """
    times = Counter(line for one in message.splitlines() if (line := one.strip(BULLETS)))
    lines = list(times)
    places = list(range(len(lines)))
    if len(lines) > most:
        said = _found(lines, _ASSERTED) or _found(lines, _TELLING) or _found(lines, _SUSPECT) or places[:most]
        chosen = dict.fromkeys([said[0], *said[-(most - 1) :]] if most > 1 else said[:1])
        around = [place + step for step in AROUND for place in list(chosen) if 0 <= place + step < len(lines)]
        places = sorted(list(dict.fromkeys([*chosen, *around]))[:most])
    return [_with_times(lines[place], times[lines[place]]) for place in places]


def _in_rows(lines: Sequence[str]) -> list[str]:
    """Return lines with those that follow themselves counted."""
    rows = [(line, len(list(row))) for line, row in groupby(lines)]
    return [
        shown
        for line, times in rows
        for shown in ([_with_times(line, times)] if line.strip() and times >= OFTEN else [line] * times)
    ]


def _with_times(line: str, times: int) -> str:
    return f"{line} (×{times})" if times > 1 else line


def _found(lines: Sequence[str], pattern: "regex.Pattern[str]") -> list[int]:
    return [
        number
        for number, line in enumerate(lines)
        if pattern.search(line[:LONGEST_LOOKED_AT]) and not _HARMLESS.search(line[:LONGEST_LOOKED_AT])
    ]


def _counted(lines: Sequence[str], telling: Sequence[int]) -> tuple[list[str], list[int]]:
    """Return the lines, what tells the same often counted at its first place, and the numbers of those to quote."""
    times = Counter(lines[number] for number in telling)
    marked, places = list(lines), list[int]()
    for number in telling:
        line = lines[number]
        if times[line] >= OFTEN and marked[number] == line:
            marked[number] = _with_times(line, times[line])
            places.append(number)
            times[line] = 0
        elif times[line]:
            places.append(number)
    return marked, _chosen(places, len(lines), {*telling} - {*places})


def _chosen(telling: Sequence[int], total: int, counted: Collection[int]) -> list[int]:
    """Return the numbers of the lines to quote: the telling ones first, then what stands around them.

    Those that are `counted` elsewhere are left out.
    """
    places = list(dict.fromkeys([*telling[:FIRST], *telling[-LAST:]]))
    kept = dict.fromkeys(places)
    around = [place + step for step in AROUND for place in places]
    for number in around:
        if len(kept) >= MOST_LINES:
            break
        if 0 <= number < total and number not in counted:
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
