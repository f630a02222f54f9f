"""Which attempt counts, or is meant, where something was tried again: builds, steps, tests. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from bot.models.build import Build, Run
from bot.models.circleci import Action, Step, TestResult
from bot.triage.keeping import key


class Settled(NamedTuple):
    """Test results in which each test that ever failed stands once; `flaky` failed, and passed when tried again.

    So many further failures, `repeated`, bear the name of one that never passed: they are it, tried again, or twins.
    """

    tests: tuple[TestResult, ...]
    flaky: tuple[TestResult, ...]
    repeated: int = 0

    @property
    def failed(self) -> tuple[TestResult, ...]:
        """Those that never passed."""
        return tuple(test for test in self.tests if test.is_failed)


def newest_steps(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps without the attempts that CircleCI repeated by itself, container by container.

    https://circleci.com/docs/guides/orchestrate/automatic-reruns/ : an attempt is over where a later one of the same
    name has a higher number. Two steps may bear one name; each of them begins at none again.
    """
    later: dict[tuple[str, int], int] = {}
    kept: list[Step] = []
    for step in reversed(steps):
        actions = [action for action in reversed(step.actions) if not _is_repeated(action, step, later)]
        if actions or not step.actions:
            kept.append(step.model_copy(update={"actions": tuple(reversed(actions))}))
    return tuple(reversed(kept))


def _is_repeated(action: Action, step: Step, later: dict[tuple[str, int], int]) -> bool:
    """Say whether the attempt behind this one is of the same action, and note this one in its place."""
    place, number = (step.name or action.name, action.index), action.auto_rerun_number or 0
    is_repeated = later.get(place, 0) > number
    later[place] = number
    return is_repeated


def as_it_was(build: Build, attempts: Sequence[Run], mark: str) -> Build | None:
    """Return a build as it was when it bore this mark; None where no attempt fits it."""
    newest: dict[tuple[str, bool], Run] = {}
    for run in sorted(attempts, key=lambda run: run.workflow.created_at):
        newest[run.workflow.name, run.workflow.is_setup] = run
        before = build.model_copy(update={"runs": tuple(newest.values())})
        if before.mark == mark:
            return before
    return None


def settled(tests: Sequence[TestResult]) -> Settled:
    """Return each test that failed once: as its last failure, or where it passed as well, as that.

    What only passed is counted as it is listed: of that nobody can tell a second try from another test of the name.
    """
    failed, passed = dict[str, TestResult](), dict[str, TestResult]()
    for test in tests:
        if test.is_failed:
            failed[key(test)] = test
        elif test.result == "success":
            passed[key(test)] = test
    if not failed:
        return Settled(tuple(tests), ())
    others = [test for test in tests if key(test) not in failed]
    flaky = tuple(test for name, test in failed.items() if name in passed)
    once = [passed.get(name, test) for name, test in failed.items()]
    repeated = sum(key(test) not in passed for test in tests if test.is_failed) - (len(failed) - len(flaky))
    return Settled((*once, *others), flaky, repeated)
