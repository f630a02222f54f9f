"""Which file is sent, of those that were read."""

import pytest

from bot.answers import jobs as answers
from bot.circleci.partial import Partial
from bot.errors import CircleCIError, Unavailable
from bot.models.circleci import Artifact
from commands.artifacts import the_one
from formatters.files import artifacts

ONE = Artifact(path="dist/cli-linux", url="https://output.circle-artifacts.com/a/dist/cli-linux")


@pytest.mark.parametrize(
    ("found", "errors", "more", "left_out", "is_sent"),
    [
        ([ONE], [], False, 0, True),
        ([ONE, ONE], [], False, 0, False),
        ([], [], False, 0, False),
        ([ONE], [Unavailable("away")], False, 0, False),
        ([ONE], [], True, 0, False),
        ([ONE], [], False, 1, False),
    ],
)
def test_a_file_is_sent_where_no_other_may_fit(
    found: list[Artifact], errors: list[CircleCIError], more: bool, left_out: int, is_sent: bool
) -> None:
    read = Partial([((ONE,), False), ((), more)], errors)
    assert the_one(found, read, left_out) == (ONE if is_sent else None)


def test_it_is_said_why_the_one_that_fits_is_not_sent() -> None:
    told = artifacts(answers.Artifacts(title="acme/cli main #7", found=(ONE,), stored=9, which=True, jobs_left_out=2))
    assert told.text.startswith(
        "I sent nothing: I have not read all that acme/cli main #7 stored (2 more jobs not asked)"
    )
    assert ONE.url in str(told.blocks)
