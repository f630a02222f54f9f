"""What CircleCI says is masked where it is read; what an act needs stays exact; and all of it can be kept."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from bot.circleci.answers import decode
from bot.errors import Unavailable
from bot.masks import declare
from bot.models import circleci, classic, history, jobs
from bot.models.circleci import Artifact, Pipeline, TestResult
from bot.models.fields import CUT_AWAY, LONGEST_PROSE, Model, prose

SAMPLES = Path(__file__).parents[1] / "samples"
TOKEN = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"
DECLARED = "declared-for-the-prose"
# What names something to CircleCI, or leads to it; a new field of text is prose unless it stands here.
EXACT = {
    "Author": {"email"},
    "_GitlabParameters": {"commit_author_email"},
    "Vcs": {"branch", "tag", "revision", "review_id"},
    "Ref": {"name", "kind"},
    "_GitParameters": {"branch", "tag", "checkout_sha"},
    "Pipeline": {"id", "project_slug"},
    "_PipelineReference": {"id"},
    "TriggeredPipeline": {"id"},
    "Workflow": {"id", "tag", "canceled_by", "started_by"},
    "Job": {"id", "approval_request_id"},
    "Artifact": {"url"},
    "JobDetails": {"web_url"},
    "Action": {"output_url"},
    "Place": {"workflow_id"},
    "VcsInfo": {"vcs_url", "default_branch"},
    "Project": {"id", "slug"},
    "Definition": {"id"},
    "Collaboration": {"id", "slug"},
    "Webhook": {"id", "url"},
    "User": {"id"},
    "BuildSummary": {"username", "reponame", "vcs_type", "branch", "vcs_tag", "vcs_revision", "author_email"},
    "FollowedProject": {"username", "reponame", "vcs_type", "default_branch", "branches"},
    "EnvironmentVariable": {"name"},
    "CheckoutKey": {"type", "fingerprint", "public_key"},
}


def models_of_circleci() -> list[type[Model]]:
    found = [*vars(circleci).values(), *vars(jobs).values(), *vars(classic).values(), history.Insight]
    models = {one for one in found if isinstance(one, type) and issubclass(one, Model) and one is not Model}
    return sorted(models, key=lambda one: one.__name__)


MODELS = models_of_circleci()


def mentions(annotation: object, wanted: object) -> bool:
    """Say whether a type is made of another, at any depth; of ours by name, as they are types of their own."""
    if annotation is wanted or getattr(annotation, "__supertype__", None) is wanted:
        return True
    return any(mentions(one, wanted) for one in get_args(annotation))


def is_prose(field: Any) -> bool:
    marks = [mark for mark in field.metadata if getattr(mark, "func", None) is prose]
    return bool(marks) or any(
        getattr(mark, "func", None) is prose
        for argument in get_args(field.annotation)
        for mark in getattr(argument, "__metadata__", ())
    )


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_text_is_prose_or_exact_for_a_reason(model: type[Model]) -> None:
    texts = {name: field for name, field in model.model_fields.items() if mentions(field.annotation, str)}
    exact = {name for name, field in texts.items() if not is_prose(field)}
    assert exact == EXACT.get(model.__name__, set())


def poisoned(value: object) -> object:
    """Return an answer with a token and a declared value in each of its texts that could hold them."""
    if isinstance(value, dict):
        return {name: poisoned(one) for name, one in value.items()}
    if isinstance(value, list):
        return [poisoned(one) for one in value]
    is_text = isinstance(value, str) and not value[:4].isdigit()
    return f"{value} {TOKEN} {DECLARED.upper()} \ud83d" if is_text else value


def answers() -> list[object]:
    found = list[object]()
    for path in sorted(SAMPLES.glob("v*.json")):
        whole = json.loads(path.read_text(encoding="utf-8"))
        pieces = [whole, *(whole.get("items") or whole.get("tests") or [])] if isinstance(whole, dict) else whole
        found += [one.get("body", one.get("payload", one)) if isinstance(one, dict) else one for one in pieces]
    return found


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_what_is_decoded_of_any_answer_shows_no_secret_and_can_be_kept(model: type[Model]) -> None:
    declare([DECLARED])
    for one in answers():
        try:
            found = decode(model, poisoned(one))
        except Unavailable:
            continue
        kept = found.model_dump_json()
        for name, text in texts_in(found):
            assert TOKEN not in text, name
            assert DECLARED.upper() not in text, name
        again = model.model_validate_json(kept)
        assert again.model_dump_json() == kept
        assert "\ud83d" not in kept


def texts_in(value: object, of: str = "") -> list[tuple[str, str]]:
    """Yield the texts that are no exact field, of all models inside."""
    if isinstance(value, BaseModel):
        exact = EXACT.get(type(value).__name__, set())
        inside = [(name, getattr(value, name)) for name in type(value).model_fields if name not in exact]
        return [found for name, one in inside for found in texts_in(one, name)]
    if isinstance(value, tuple):
        return [found for one in value for found in texts_in(one, of)]
    return [(of, value)] if isinstance(value, str) else []


def test_what_an_act_needs_is_exactly_what_circleci_said() -> None:
    ref = f"feature/{TOKEN}"
    found = decode(
        Pipeline,
        {
            "id": "p",
            "number": 1,
            "project_slug": f"gh/acme/{TOKEN}",
            "created_at": "2026-11-20T10:00:00",
            "vcs": {"branch": ref, "commit": {"subject": f"Add {TOKEN}"}},
        },
    )
    assert found.ref is not None
    assert (found.ref.name, found.project_slug) == (ref, f"gh/acme/{TOKEN}")
    assert found.subject == "Add [masked]"
    assert found.created_at.tzinfo is not None


def test_an_artifact_whose_address_shows_a_secret_is_fetched_and_not_linked() -> None:
    url = f"https://output.circle-artifacts.com/0/{TOKEN}.txt"
    found = decode(Artifact, {"path": f"{TOKEN}.txt", "url": url})
    assert (found.path, found.url, found.link) == ("[masked].txt", url, "")
    assert TOKEN not in found.model_dump_json()
    plain = decode(Artifact, {"url": "https://a.example/x"})
    assert plain.link == plain.url == Artifact.model_validate_json(plain.model_dump_json()).url


def test_a_long_text_is_cut_where_no_secret_is_cut_in_two() -> None:
    for before in range(LONGEST_PROSE - 60, LONGEST_PROSE + 5, 7):
        message = TestResult(message="x " * (before // 2) + TOKEN).message
        assert "ghp_" not in message
        assert len(message) <= LONGEST_PROSE
    assert len(TestResult(message="x" * 10 * LONGEST_PROSE).message) == LONGEST_PROSE - CUT_AWAY + 1


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["\ud83d", "2026-01-01T00:00:00", "0001-01-01T00:00:00+23:59", "9" * 40, TOKEN, "{", "1e400"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(MODELS), st.data())
def test_whatever_json_comes_is_a_model_that_can_be_kept_or_an_error_of_ours(
    model: type[Model], data: st.DataObject
) -> None:
    names = list(model.model_fields)
    given_fields = data.draw(st.dictionaries(st.sampled_from(names), ODD) if names else ODD)
    base = {"id": "x", "name": "n", "status": "success", "number": 1, "index": 0, "build_num": 1, "slug": "gh/a/b",
            "project_slug": "gh/a/b", "created_at": "2026-01-01T00:00:00Z"}  # fmt: skip
    try:
        found = decode(model, {**base, **given_fields} if isinstance(given_fields, dict) else given_fields)
    except Unavailable:
        return
    json.loads(found.model_dump_json())
    for name in dir(model):
        if isinstance(getattr(model, name, None), property) and not name.startswith(("_", "model_")):
            getattr(found, name)
