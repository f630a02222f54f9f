"""What a branch's earlier builds tell."""

from bot.answers import Found
from bot.models.circleci import ProjectSlug, TestResult
from bot.models.history import Flake, Insight, PastBuild, Turned


class WhyRed(Found):
    """Why a branch is red: `turned` is its row of red builds; None where `newest`, its newest with an outcome, passed.

    So many `builds` were looked at. Of the tests that began to fail in the first bad build, some are `still_failing` in
    the newest, others `failing_no_more`. `base_turned` is the row of red builds of the `base` branch, if that is red;
    `base_is_known` says that any of its newest passed or failed. `again` is a newer build than that which has failed
    and has not ended, with what ended of it; `passed_before` the number of one that passed on the first bad commit, and
    `newer_number` that of the branch's newest build, where it is newer than all these.
    """

    title: str
    branch: str
    base: str
    builds: int
    newest: PastBuild
    turned: Turned | None = None
    still_failing: tuple[TestResult, ...] = ()
    failing_no_more: tuple[TestResult, ...] = ()
    base_turned: Turned | None = None
    base_is_known: bool = True
    again: PastBuild | None = None
    passed_before: int = 0
    newer_number: int = 0


class FlakyTests(Found):
    """The tests that failed in more than `over` of the last `builds` of a branch, the flakiest first.

    So many builds were `asked` for: there may be fewer. In so many of the builds, `with_data`, there were test results;
    the results of `unread` jobs could not be read. `insight` is what CircleCI itself calls flaky in the
    project, on whatever branch; None where it does not say, or where that `is_closed` to who asks.
    """

    project_slug: ProjectSlug
    title: str
    branch: str
    over: int
    asked: int = 0
    builds: int
    with_data: int
    unread: int = 0
    flakes: tuple[Flake, ...] = ()
    insight: tuple[Insight, ...] | None = None
    is_closed: bool = False
