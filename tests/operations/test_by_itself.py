"""What an agent does by itself is one act, however it is spelled."""

import pytest

from bot.models.caller import Caller
from bot.models.circleci import ProjectSlug, Ref
from bot.models.pending import Deployment
from bot.operations.by_itself import claim_of

AGENT = Caller(person_id="U0ADA", agent="nightly", delivery_id="mcp:1")


def claim(parameters: dict[str, str | int | bool], **changed: str) -> str:
    wish = Deployment(
        project_slug=ProjectSlug("gh/acme/frontend"),
        project_title="acme/frontend",
        ref=Ref(name="main"),
        parameters=parameters,
    )
    return claim_of(AGENT.model_copy(update=changed), wish)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ({"x": "1"}, {"x": 1}, True),
        ({"x": True}, {"x": "true"}, True),
        ({"x": "1"}, {"x": 2}, False),
        ({"x": "1"}, {"y": "1"}, False),
        ({"x": "b=c"}, {"x=b": "c"}, False),
    ],
)
def test_however_a_value_is_written_it_is_the_same_deploy(
    one: dict[str, str | int | bool], other: dict[str, str | int | bool], is_same: bool
) -> None:
    assert (claim(one) == claim(other)) is is_same


def test_with_another_key_and_of_another_agent_it_is_another_one() -> None:
    assert len({claim({}), claim({}, key="2"), claim({}, agent="weekly"), claim({}, person_id="U0GRACE")}) == 4
