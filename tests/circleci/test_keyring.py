"""Which token a request goes out with."""

import pytest
from pydantic import SecretStr

from bot.circleci.keyring import MOST_LEARNED, Keyring

PIPELINE = "5034460f-c7c4-4c43-9457-de07e2029e7b"


def keyring() -> Keyring:
    tokens = {"gh/Other": "OTHER", "gh/other/vault": "VAULT", "circleci/org": "ORG"}
    return Keyring(SecretStr("DEFAULT"), {name: SecretStr(token) for name, token in tokens.items()})


@pytest.mark.parametrize(
    ("path", "token"),
    [
        ("/api/v2/project/gh/acme/frontend/pipeline", "DEFAULT"),
        ("/api/v2/project/gh/other/app/pipeline", "OTHER"),
        ("/api/v2/project/gh/OTHER/app", "OTHER"),
        ("/api/v1.1/project/gh/other/vault/17", "VAULT"),
        ("/api/v2/project/circleci/org/app", "ORG"),
        ("/api/v2/project/gh/other%20corp/app", "DEFAULT"),
        ("/api/v2/me", "DEFAULT"),
    ],
)
def test_a_path_that_names_a_project_says_it(path: str, token: str) -> None:
    assert keyring().for_path(path) == (token,)


def test_what_nobody_has_seen_is_asked_for_with_each_until_it_is_learned() -> None:
    keys, path = keyring(), f"/api/v2/pipeline/{PIPELINE}/workflow"
    assert keys.for_path(path) == ("DEFAULT", "OTHER", "VAULT", "ORG")
    keys.learn("OTHER", {"items": [{"id": PIPELINE}, {"id": "no-uuid"}, "nonsense"]})
    assert keys.for_path(path) == ("OTHER",)


def test_one_token_is_never_tried_twice_and_learns_nothing() -> None:
    keys = Keyring(SecretStr("DEFAULT"), {})
    keys.learn("DEFAULT", {"id": PIPELINE})
    assert keys.for_path(f"/api/v2/pipeline/{PIPELINE}") == ("DEFAULT",)


def test_tokens_are_told_apart_without_being_told() -> None:
    keys = keyring()
    marks = [keys.whose(token) for token in keys.all]
    assert marks[0] == ""
    assert len(set(marks)) == len(keys.all)
    assert not any(token.lower() in mark for token, mark in zip(keys.all[1:], marks[1:], strict=True))
    assert keys.alone("gh/other").whose("OTHER") == keys.whose("OTHER")
    twice = Keyring(SecretStr("DEFAULT"), {"gh/other": SecretStr("DEFAULT")})
    assert twice.whose("DEFAULT") == ""


def test_what_is_learned_does_not_grow_for_ever() -> None:
    keys = keyring()
    for number in range(MOST_LEARNED + 10):
        keys.learn("OTHER", {"id": f"{number:08d}-c7c4-4c43-9457-de07e2029e7b"})
    assert len(keys._learned) == MOST_LEARNED


@pytest.mark.parametrize("data", [None, [], "x", {"items": None}, {"id": None}, {"items": [None, 7]}])
def test_odd_answers_teach_nothing(data: object) -> None:
    keys = keyring()
    keys.learn("OTHER", data)
    assert not keys._learned
