"""What CircleCI refuses is told with the next step, where that is known."""

from datetime import UTC, datetime

import pytest

from bot.errors import NotTriggered, Rejected
from bot.models.build import Build
from bot.models.circleci import Pipeline
from formatters import errors
from formatters.final import final
from formatters.links import Links
from formatters.refusals import UNKNOWN, next_step
from tests.golden.test_errors import WATCH

WRONG_TYPE = "Type error for argument version: expected type: string, actual value: 2024 (type integer)"


@pytest.mark.parametrize(
    ("said", "helps"),
    [
        (WRONG_TYPE, 'Quotes make it text: `version="2024"`.'),
        (
            'Type error for argument dry-run: expected type: boolean, actual value: "true" (type string)',
            "It takes `dry-run=true` or `dry-run=false`, without quotes.",
        ),
        ("Type error for argument n: expected type: integer, actual value: 3x (type string)", "`n=3`"),
        ("Type error for argument e: expected type: enum, actual value: x (type string)", "what `e` takes"),
        ("Unexpected argument(s): env, region", "declares no parameters named `env, region`: leave them out"),
        ("Permission denied", "whoever runs me gives that user write access"),
        ("Plan is suspended.", "CircleCI's plan"),
        ("Job is not on hold.", "Somebody has decided it meanwhile"),
        ("The commit says [skip ci], so nothing was started.", "Push a commit without these words"),
        ("Project not found", "It is not there any more"),
    ],
)
def test_a_known_refusal_has_its_next_step(said: str, helps: str) -> None:
    assert helps in next_step(said)
    assert helps in errors.error(Rejected(400, said)).text
    assert helps in errors.error(NotTriggered(said)).text


@pytest.mark.parametrize("said", ["", "Computer says no."])
def test_of_an_unknown_one_it_is_said_that_nobody_knows(said: str) -> None:
    assert next_step(said) == ""
    assert UNKNOWN in errors.error(Rejected(418, said)).text


def test_a_type_error_in_a_configuration_says_how_to_give_text() -> None:
    # C45
    pipeline = Pipeline.model_validate(
        {
            "id": "p",
            "number": 2417,
            "project_slug": "gh/acme/cli",
            "state": "errored",
            "errors": [{"type": "config", "message": WRONG_TYPE}],
            "created_at": "2026-11-20T10:00:00Z",
        }
    )
    build = Build(pipeline=pipeline, read_at=datetime(2026, 11, 20, 10, 1, tzinfo=UTC))
    told = str(final(build, None, WATCH, Links()).blocks)
    assert WRONG_TYPE in told
    assert 'version="2024"' in told
