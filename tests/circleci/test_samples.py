import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.circleci.answers import answer, decode, items
from bot.errors import CircleCIError, Rejected, Unauthorized, Unavailable
from bot.models.circleci import (
    Artifact,
    ClassicBuild,
    Job,
    JobDetails,
    Pipeline,
    Project,
    Ref,
    Step,
    TestResult,
    TriggeredPipeline,
    User,
    Workflow,
)
from bot.models.fields import Model

SAMPLES = Path(__file__).parents[1] / "samples"
NOW = datetime(2026, 11, 25, tzinfo=UTC)
DATE = datetime(2026, 11, 20, 10, tzinfo=UTC)
SHA = "9f1c2d7a0b4e4c0e8f6a5b3c2d1e0f9a8b7c6d5e"


def sample(name: str, *path: str | int) -> Any:
    """Return a sample, or what is at `path` inside it."""
    data = json.loads((SAMPLES / f"{name}.json").read_text())
    for key in path:
        data = data[key]
    return data


def listed(name: str, number: int) -> tuple[str, str, int]:
    return (name, "items", number)


@pytest.mark.parametrize(
    ("where", "model", "expected"),
    [
        pytest.param(
            listed("v2-pipelines", 0),
            Pipeline,
            {"number": 2417, "ref": Ref(name="main"), "subject": "Ship it", "revision": SHA},
            id="pipeline, plain",
        ),
        pytest.param(
            listed("v2-pipelines", 1),
            Pipeline,
            {"state": "errored", "vcs": None, "ref": None, "revision": SHA, "subject": ""},
            id="pipeline, errored and without vcs",
        ),
        pytest.param(
            listed("v2-pipelines", 2),
            Pipeline,
            {"ref": Ref(name="main"), "subject": ""},
            id="pipeline, scheduled and without commit",
        ),
        pytest.param(
            listed("v2-pipelines", 3),
            Pipeline,
            {"ref": Ref(name="v2.0", kind="tag"), "subject": ""},
            id="pipeline, tag and commit leaves null",
        ),
        pytest.param(
            listed("v2-pipelines", 4),
            Pipeline,
            {"ref": Ref(name="release/v2.0"), "revision": SHA, "subject": "Ship v2.0"},
            id="pipeline, standalone project",
        ),
        pytest.param(
            listed("v2-pipeline-workflows-rerun", 0),
            Workflow,
            {"name": "build", "is_finished": False, "stopped_at": None, "canceled_by": ""},
            id="workflow, running, stopped_at null",
        ),
        pytest.param(
            listed("v2-pipeline-workflows-setup-multi", 2), Workflow, {"is_setup": True}, id="workflow, setup has a tag"
        ),
        pytest.param(
            listed("v2-pipeline-workflows-setup-multi", 1),
            Workflow,
            {"is_setup": False, "status": "failed"},
            id="workflow, no tag key",
        ),
        pytest.param(
            listed("v2-workflow-jobs-approval", 1),
            Job,
            {"type": "approval", "job_number": 1843, "waits_for_approval": False},
            id="job, an approval with a number",
        ),
        pytest.param(
            listed("v2-workflow-jobs-running", 0),
            Job,
            {"status": "running", "stopped_at": None},
            id="job, no stopped_at",
        ),
        pytest.param(
            listed("v2-workflow-jobs-running", 1),
            Job,
            {"job_number": None, "started_at": None, "is_finished": False},
            id="job, blocked, started_at null",
        ),
        pytest.param(
            ("v2-job-details",),
            JobDetails,
            {"web_url": "https://circleci.com/gh/acme/frontend/1842", "number": 1842},
            id="job details, no project id",
        ),
        pytest.param(("v2-project",), Project, {"slug": "gh/acme/frontend", "title": "acme/frontend"}, id="project"),
        pytest.param(
            ("v2-small-answers", 0, "body"), TriggeredPipeline, {"number": 2418, "state": "pending"}, id="trigger"
        ),
        pytest.param(("v2-small-answers", 3, "body"), User, {"login": "acme-ci"}, id="me"),
        pytest.param(("v11-me",), User, {"login": "acme-ci", "id": ""}, id="classic me, full of private things"),
        pytest.param(
            ("v11-artifacts-odd-paths", 0),
            Artifact,
            {"url": "https://1842-1234-gh.circle-artifacts.com/0//tmp/junit.vCFLHp7/jest/junit.xml"},
            id="artifact, absolute path and a double slash",
        ),
        pytest.param(("v11-artifacts-odd-paths", 1), Artifact, {"node_index": 1}, id="artifact, path from the root"),
        pytest.param(
            ("v11-tests", "tests", 0), TestResult, {"message": "", "is_failed": False}, id="test, message null"
        ),
        pytest.param(("v11-tests", "tests", 1), TestResult, {"file": "", "is_failed": True}, id="test, file null"),
        pytest.param(
            ("v11-retry-answer-will-never-run",),
            ClassicBuild,
            {"lifecycle": "scheduled", "dont_build": "1.0-not-available", "steps": ()},
            id="retry that will never run, no steps key",
        ),
    ],
)
def test_a_sample_decodes(where: tuple[str | int, ...], model: type[Model], expected: dict[str, object]) -> None:
    found = decode(model, sample(str(where[0]), *where[1:]))
    assert {name: getattr(found, name) for name in expected} == expected


def states(step: Step) -> list[tuple[bool, bool]]:
    """Say of each action whether it failed and whether its log is there."""
    return [(action.is_failed, bool(action.output_url)) for action in step.actions]


FINE = [(False, True)]


@pytest.mark.parametrize(
    ("where", "steps"),
    [
        pytest.param(("v11-build-detail-platform1",), [FINE, FINE], id="no workflows, old signature"),
        pytest.param(("v11-build-detail-same-step-names",), [FINE, FINE, FINE], id="two steps of one name"),
        pytest.param(("v11-build-detail-no-pull-requests-key",), [FINE], id="no pull_requests key"),
        pytest.param(("v11-build-detail-steps-gone",), [], id="steps expired"),
        pytest.param(
            ("v11-build-detail-parallel-failed",),
            [[(True, True), (False, True), (True, True)]],
            id="two of three failed",
        ),
        pytest.param(("v11-build-detail-timedout",), [[(True, True)]], id="timed out, failed null"),
        pytest.param(
            ("v11-notify-failed-no-output-url", "payload"),
            [FINE, [(True, False)], [(False, False)], [(False, False)]],
            id="failed before its log was there, later steps fine",
        ),
        pytest.param(
            ("v11-notify-canceled", "payload"),
            [FINE, [(False, False)], [(False, False)]],
            id="canceled, a step still running and a synthetic one",
        ),
    ],
)
def test_the_steps_of_a_classic_build_are_told_apart(where: tuple[str, ...], steps: object) -> None:
    build = decode(ClassicBuild, sample(*where))
    assert [states(step) for step in build.steps] == steps
    assert "PLACEHOLDER" not in repr(build)


@pytest.mark.parametrize("number", range(4))
def test_a_recorded_answer_carries_circlecis_clock(number: int) -> None:
    recorded = sample("v2-small-answers", number)
    response = httpx.Response(recorded["status"], headers=recorded["headers"], json=recorded["body"])
    found = answer(response, secret="", now=NOW)
    assert (found.data, found.date) == (recorded["body"], DATE)


def test_an_empty_list_is_a_list() -> None:
    response = httpx.Response(200, json=sample("v2-small-answers", 2, "body"))
    assert items(answer(response, secret="", now=NOW)) == ([], "")


@pytest.mark.parametrize(
    ("number", "kind", "text"),
    [
        pytest.param(0, Rejected, "404: Not Found", id="a page of html"),
        pytest.param(
            1,
            Rejected,
            "302: it points to https://circleci.com/api/v1.1/project/github/acme/frontend",
            id="a redirect that repeats the token",
        ),
        pytest.param(2, Rejected, "404: Project not found", id="plain"),
        pytest.param(3, Rejected, "404: Not Found", id="github's document inside the message"),
        pytest.param(4, Rejected, "403: API rate limit exceeded for 192.0.2.1.", id="github's limit, not CircleCI's"),
        pytest.param(5, Rejected, "403: Permission denied", id="permission"),
        pytest.param(6, Unauthorized, "You must log in first.", id="not logged in"),
        pytest.param(7, Unavailable, "an answer that cannot be read", id="cut, with a second object behind"),
    ],
)
def test_a_recorded_error_is_told_in_its_own_words(number: int, kind: type[CircleCIError], text: str) -> None:
    recorded = sample("error-answers", number)
    headers = {"content-type": recorded["content_type"] or "", "location": recorded.get("location", "")}
    response = httpx.Response(
        recorded["status"], headers={name: value for name, value in headers.items() if value}, text=recorded["raw_body"]
    )
    with pytest.raises(kind) as caught:
        answer(response, secret="", now=NOW)
    assert str(caught.value).startswith(text)
    assert "TOKEN" not in str(caught.value)


def test_every_sample_is_used() -> None:
    readers = (Path(__file__), Path(__file__).parents[1] / "formatters" / "test_odd_shapes.py")
    source = "".join(reader.read_text() for reader in readers)
    assert [path.stem for path in SAMPLES.glob("*.json") if f'"{path.stem}' not in source] == []
