"""What a failure is, by how the same test did before: the rules of docs/triage.md. Pure."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from math import sqrt
from typing import NamedTuple

from bot.models.fields import Model
from bot.models.history import Advice, Seen

ENOUGH = 5  # builds of the base in which it passed, before a failure can be called new
FEWEST = 3  # earlier builds, before a test can be known to be flaky
Z = 1.96  # for an interval of 95 %
UNLIKELY, VERY_UNLIKELY = 0.05, 0.01


class Kind(StrEnum):
    """What a failure is; what asks most of the reader comes first. What each is called: `formatters/verdicts.py`."""

    NEW = "new"  # green on the base, failing here
    NOT_SURE = "not_sure"
    RED_ON_BASE = "red_on_base"
    INFRASTRUCTURE = "infrastructure"
    FLAKE = "flake"

    @property
    def advice(self) -> Advice:
        """What to press where all that failed is of this kind."""
        match self:
            case Kind.NEW:
                return Advice.OPEN_COMMIT
            case Kind.RED_ON_BASE:
                return Advice.WAIT
            case Kind.NOT_SURE:
                return Advice.LOOK
            case Kind.INFRASTRUCTURE | Kind.FLAKE:
                return Advice.RERUN


class Verdict(Model):
    """What one failure is, and the numbers that say so.

    It failed in `failed` of the `looked` builds that ran it; on `flips` commits it both failed and passed. `since` is
    the number of the first pipeline in a row of failures. On today's commit it passed in another attempt of today's
    build (`passed_today`), or in the pipeline `passed_in`. `cause` names the trouble of an infrastructure failure, or
    why there is nothing to tell; `attempts` counts those of today's build that ended so.
    """

    kind: Kind
    failed: int = 0
    looked: int = 0
    flips: int = 0
    since: int | None = None
    passed_today: bool = False
    passed_in: int | None = None
    cause: str = ""
    attempts: int = 1

    @property
    def is_repeated(self) -> bool:
        """It looks like infrastructure, and a rerun has not helped."""
        return self.kind is Kind.INFRASTRUCTURE and self.attempts > 1

    @property
    def advice(self) -> Advice:
        """What to press where all that failed is like this."""
        return Advice.LOOK if self.is_repeated else self.kind.advice


class Past(NamedTuple):
    """How a test did: in the builds of the base and of this branch, newest first each, and `now`, in today's build.

    Where today's build is on the base itself, `here` is empty. `base_runs` counts the builds of the base that have
    results of its job, whether it was among them or not. `may_be_renamed` says that tests of the base are missing
    today: one that nobody has seen may be one of them. `is_over` says that the base passed although it failed there
    last: it was not run any more, or it does not count.
    """

    base: Sequence[Seen]
    here: Sequence[Seen]
    now: Seen
    base_runs: int = 0
    may_be_renamed: bool = False
    is_over: bool = False

    @property
    def everything(self) -> list[Seen]:
        """Each build that ran it, today's too."""
        return [self.now, *self.here, *self.base]


def judge(past: Past) -> Verdict:
    """Return what the failure of today is."""
    red = streak(past.base)
    flips = flipped(past.everything)
    numbers = Verdict(
        kind=Kind.NOT_SURE,
        failed=sum(one.failed > 0 for one in (*past.here, *past.base)),
        looked=len(past.here) + len(past.base),
        flips=flips,
        since=red[-1].number if red else None,
        passed_today=past.now.passed > 0,
        passed_in=_passed_in(past),
    )
    kind = _kind(past, red, flips)
    if kind is Kind.RED_ON_BASE and past.is_over:
        cause = f"it failed where the default branch last ran it, in #{red[0].number}, but that branch passed since"
        return numbers.model_copy(update={"since": None, "cause": cause})
    if kind is Kind.NEW:
        here = streak(past.here)
        return numbers.model_copy(update={"kind": kind, "since": here[-1].number if here else None})
    return numbers.model_copy(update={"kind": kind})


def _passed_in(past: Past) -> int | None:
    """Return the newest other pipeline in which it passed on today's commit."""
    revision = past.now.revision
    same = (one for one in (*past.here, *past.base) if revision and one.revision == revision and one.passed)
    return max((one.number for one in same), default=None)


def _kind(past: Past, red: Sequence[Seen], flips: int) -> Kind:
    earlier = past.base[len(red) :]
    spells = episodes(earlier)
    if flips or spells >= 2:
        return _of_flaky(past, red)
    if red:
        return Kind.RED_ON_BASE
    if not past.base:
        return _unknown_to_base(past)
    return Kind.NEW if spells == 0 and len(past.base) >= ENOUGH else Kind.NOT_SURE


def _of_flaky(past: Past, red: Sequence[Seen]) -> Kind:
    """Ask whether so many failures in a row can be the flakiness it had before them."""
    before = [*past.base[len(red) :], *past.here[len(streak(past.here)) :]]
    _, high = interval(sum(one.failed > 0 for one in before), len(before))
    if len(red) >= 2 and high ** len(red) < UNLIKELY:
        return Kind.RED_ON_BASE
    if past.now.passed:
        return Kind.FLAKE
    if len(past.here) + len(past.base) < FEWEST:
        return Kind.NOT_SURE
    in_a_row = past.now.failed + sum(one.failed for one in streak(past.here))
    chance = high**in_a_row
    return Kind.NEW if chance < VERY_UNLIKELY else Kind.NOT_SURE if chance < UNLIKELY else Kind.FLAKE


def _unknown_to_base(past: Past) -> Kind:
    """Call a test that came with this branch new, unless it may be an old one under a new name."""
    return Kind.NEW if past.base_runs >= ENOUGH and not past.may_be_renamed else Kind.NOT_SURE


def streak(newest_first: Sequence[Seen]) -> list[Seen]:
    """Return the newest builds in a row in which it never passed."""
    found = []
    for one in newest_first:
        if not one.is_red:
            break
        found.append(one)
    return found


def episodes(newest_first: Iterable[Seen]) -> int:
    """Count how often it began to fail and passed again later."""
    red = [one.is_red for one in newest_first]
    return sum(now and (number == 0 or not red[number - 1]) for number, now in enumerate(red))


def flipped(seen: Iterable[Seen]) -> int:
    """Count the commits on which it both failed and passed in one workflow: CircleCI's own definition of flaky.

    https://circleci.com/docs/guides/insights/insights-tests/
    """
    by_commit: dict[tuple[str, str], tuple[bool, bool]] = {}
    for one in seen:
        commit = one.revision or f"#{one.number}", one.workflow
        failed, passed = by_commit.get(commit, (False, False))
        by_commit[commit] = (failed or one.failed > 0, passed or one.passed > 0)
    return sum(failed and passed for failed, passed in by_commit.values())


def interval(failed: int, of: int) -> tuple[float, float]:
    """Return between which rates the true one lies, 19 times of 20: the score interval of Wilson (1927).

    https://doi.org/10.1080/01621459.1927.10502953 ; it holds for few builds and for rates near 0, where the usual
    one does not (Brown, Cai, DasGupta 2001, https://doi.org/10.1214/ss/1009213286 ).
    """
    if of == 0:
        return 0.0, 1.0
    rate, square = failed / of, Z * Z
    middle = (rate + square / (2 * of)) / (1 + square / of)
    half = Z * sqrt(rate * (1 - rate) / of + square / (4 * of * of)) / (1 + square / of)
    return max(middle - half, 0.0), min(middle + half, 1.0)
