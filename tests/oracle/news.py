"""What a channel must have been told of a branch, by docs/subscriptions.md alone: none of the bot's code. Pure.

Builds end in any order, and each end is seen a while after it: all that may follow from that is right, and nothing
else. So it is looked whether any order in which the ends can have been seen explains what was said.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import cache
from typing import NamedTuple

# What each word of a rule lets its channel hear.
HEARD = {
    "broke": ("broke",),
    "fixed": ("fixed",),
    "still-red": ("still-red",),
    "failed": ("broke", "still-red", "older red"),
    "passed": ("fixed", "passed", "older green"),
    "deployed": (),  # nothing of how the branch stands
}
DEFAULT_BRANCH, USUAL = "main", ("broke", "fixed")


class Rule(NamedTuple):
    """What a channel subscribed to, `asked_at` which second: `words` are those of the line that it was said with."""

    channel: str
    project: str
    words: tuple[str, ...] = ()
    asked_at: float = 0

    @property
    def events(self) -> frozenset[str]:
        """What its channel hears."""
        said = [word for word in self.words if word in HEARD] or USUAL
        return frozenset(event for word in said for event in HEARD[word])

    @property
    def has_threads(self) -> bool:
        """Say whether it has not asked for messages of their own."""
        return "channel" not in self.words

    def is_about(self, branch: str) -> bool:
        """Say whether it is about a branch."""
        globs = [word for word in self.words if word not in HEARD and word not in ("channel", "thread")]
        wanted = [one for one in globs if not one.startswith("!")]
        unwanted = [one[1:] for one in globs if one.startswith("!")]
        if any(fnmatchcase(branch, one) for one in unwanted):
            return False
        return any(fnmatchcase(branch, one) for one in wanted or (["*"] if globs else [DEFAULT_BRANCH]))


class End(NamedTuple):
    """The end of a build with this number, `at` which second, and `by` when it must have been seen.

    It leaves its branch `red` or `green`, or says nothing. One that is `held` for a person repairs its branch where all
    that had failed there passes in it, which is not known here. One that was run again `may_be_missed`.
    """

    number: int
    at: float
    by: float
    outcome: str
    may_be_missed: bool = False


class Said(NamedTuple):
    """A message about a build, in the thread of a red branch or beside it."""

    event: str
    number: int
    in_thread: bool = False


class _State(NamedTuple):
    """How far it was looked: which ends are left, how much was said, the newest build, since which one it is red.

    And whether the channel has heard of that.
    """

    left: tuple[int, ...]
    said: int = 0
    number: int = 0
    red_since: int = 0
    is_told_red: bool = False


def is_explained(ends: Sequence[End], said: Sequence[Said], rules: Sequence[Rule]) -> bool:
    """Say whether a channel was told of a branch what its rules about that one ask for, each once, none too few.

    What had ended before a rule asked is none to that one, but the branch stands so: that it is red is said with the
    first failure after that, since it is.
    """

    @cache
    def leads_on(state: _State) -> bool:
        if not state.left:
            return state.said == len(said)
        return any(leads_on(after) for index in _next(ends, state.left) for after in _seen(index, state))

    def _seen(index: int, state: _State) -> list[_State]:
        end = ends[index]
        rest = state._replace(left=tuple(one for one in state.left if one != index))
        if not end.outcome:
            return [rest]
        if end.outcome == "held" and (not state.red_since or end.number < state.number):
            return [rest]
        missed = [rest] if end.may_be_missed or end.outcome == "held" else []
        event, after = _happens(end, rest)
        asking = [rule for rule in rules if rule.asked_at <= end.at]
        wanted = {event for rule in asking for event in rule.events}
        is_first_heard = event == "still-red" and not state.is_told_red and "broke" in wanted
        if event not in wanted and not is_first_heard:
            return [*missed, after]
        in_thread = any(rule.has_threads for rule in asking) and state.is_told_red and state.red_since <= end.number
        words = Said("broke", state.red_since) if is_first_heard else Said(event, end.number, in_thread)
        is_next = state.said < len(said) and said[state.said] == words
        after = after._replace(said=state.said + 1, is_told_red=after.red_since > 0)
        return [*missed, after] if is_next else missed

    return leads_on(_State(tuple(range(len(ends)))))


def _next(ends: Sequence[End], left: Sequence[int]) -> list[int]:
    """Return those that may be seen before all others: none of these must have been seen before they ended."""
    first = min(ends[index].by for index in left)
    return [index for index in left if ends[index].at <= first]


def _happens(end: End, state: _State) -> tuple[str, _State]:
    """Return what an end is to the branch, and how that stands then: an older build changes nothing."""
    if end.number < state.number:
        return f"older {end.outcome}", state
    if end.outcome in ("green", "held"):
        green = state._replace(number=end.number, red_since=0, is_told_red=False)
        return "fixed" if state.red_since else "passed", green
    since = state.red_since or end.number
    return "still-red" if state.red_since else "broke", state._replace(number=end.number, red_since=since)
