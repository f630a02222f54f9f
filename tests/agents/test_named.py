"""What an agent names is what is meant: nobody asks it back, so that of several builds nothing is done to any."""

import pytest

from bot.answers.builds import Cancellable
from bot.models.build import Build
from bot.models.circleci import Ref
from commands.cancel import meant
from tests.agents.answers import Answers

MADE = Answers("main", 1)
RUNS, RUNS_TOO, ENDED = MADE.build("running", 7), MADE.build("running", 6), MADE.build("success", 5)
BEGINS = Build(pipeline=MADE.pipeline(8), read_at=MADE.pipeline(8).created_at)  # no workflow of it so far
MAIN = Ref(name="main")


@pytest.mark.parametrize(
    ("builds", "ref", "is_named", "number"),
    [
        ((RUNS, ENDED), MAIN, False, 7),
        ((ENDED, RUNS_TOO), MAIN, False, 6),
        ((RUNS, RUNS_TOO), MAIN, False, None),
        ((BEGINS, RUNS), MAIN, False, None),
        ((BEGINS,), MAIN, False, None),
        ((ENDED,), MAIN, False, None),
        ((RUNS, ENDED), None, False, None),
        ((RUNS,), None, True, 7),
        ((ENDED,), MAIN, True, 5),  # which says itself that it has ended
    ],
)
def test_only_what_is_named_or_the_only_one_of_its_branch_is_cancelled(
    builds: tuple[Build, ...], ref: Ref | None, is_named: bool, number: int | None
) -> None:
    found = meant(Cancellable(title="acme/backend", builds=builds, ref=ref, is_named=is_named))
    assert (found.pipeline.number if found else None) == number
