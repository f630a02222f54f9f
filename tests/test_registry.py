"""Each command, button and form has a permission, schemas, an answer that can be read, and a story that plays it."""

import json
from collections.abc import Iterator
from typing import TypeVar

import pytest

from bot.__main__ import main
from bot.actions import ButtonAction, OpenLink, RunCommand, ShareAnswer
from bot.answers import Answer, Changed, File, Found, Nothing
from bot.answers.questions import Question
from bot.policy import Word
from formatters.show import is_shown
from tests.golden.records import recorded
from tests.registry import Row, table

TABLE = table()
EVERY = pytest.mark.parametrize(
    ("kind", "row"),
    [pytest.param(kind, row, id=f"{kind}-{row.name}") for kind, rows in TABLE.items() for row in rows],
)
# The boundary has them: a command that is offered goes the way of a typed one, as does one whose answer is shared, and
# a link is opened by the browser.
NEVER_HANDLED = {RunCommand, ShareAnswer, OpenLink}
T = TypeVar("T")


@EVERY
def test_what_can_be_asked_has_a_permission_and_schemas(kind: str, row: Row) -> None:
    assert row.permission in list(Word)
    for schema in row.schemas:
        assert json.loads(json.dumps(schema)) == schema
        assert {"properties", "anyOf"} & schema.keys()


@EVERY
def test_what_is_answered_is_a_model_that_people_can_read(kind: str, row: Row) -> None:
    for answer in row.answers:
        assert issubclass(answer, Answer)
        assert answer is not Answer
        assert is_shown(answer) or answer is File, answer  # a file goes into the thread itself


@EVERY
def test_a_story_plays_it(kind: str, row: Row) -> None:
    assert row.name in recorded(kind)


def test_no_answer_is_without_somebody_who_gives_it() -> None:
    given = {answer for rows in TABLE.values() for row in rows for answer in row.answers}
    asked = {*kinds(Question)}
    # Whoever opens our direct messages once more is answered with nothing.
    assert given | asked | {Nothing, Question, Found, Changed} == {*kinds(Answer)}
    assert all(is_shown(question) for question in asked)


def test_every_button_is_handled_once() -> None:
    rows = [row.asked for row in (*TABLE["button"], *TABLE["form"])]
    assert len(rows) == len(set(rows))
    assert {*rows, *NEVER_HANDLED} == {*kinds(ButtonAction)}


def test_the_commands_are_listed_with_their_schemas_without_settings_or_network(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["commands", "--json"]) == 0
    listed = {one.pop("name"): one for one in json.loads(capsys.readouterr().out)}
    assert list(listed) == [row.name for row in TABLE["command"]]
    for row in TABLE["command"]:
        assert (listed[row.name]["request"], listed[row.name]["answer"]) == row.schemas
        assert listed[row.name]["permission"] == row.permission
        assert listed[row.name]["summary"].endswith(".")


def kinds(base: type[T]) -> Iterator[type[T]]:
    """Yield all that the product makes of a class."""
    for one in base.__subclasses__():
        if not one.__module__.startswith("tests."):
            yield one
        yield from kinds(one)
