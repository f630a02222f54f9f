"""Why a build could not run: by CircleCI's own words, and without a word of success."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.models.build import Build, Report, Run
from bot.models.caller import Place
from bot.models.circleci import Pipeline, PipelineId, ProjectSlug, Ref, Workflow
from bot.models.slack import Watch
from formatters import final, root
from formatters.limits import violations
from formatters.links import Links
from formatters.stopped import stored_nothing
from tests.formatters.test_root import build as any_build

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
ERROR = {"type": "config", "message": "Cannot find a definition for job named no-such-job"}
WATCH = Watch(
    id="e",
    pipeline_id=PipelineId("p"),
    pipeline_number=2401,
    project_slug=ProjectSlug("gh/acme/backend"),
    project_title="acme/backend",
    ref=Ref(name="main"),
    thread=Place(channel_id="C0"),
    asked_at=NOW,
)


def build(state: str, *errors: dict[str, str], statuses: tuple[str, ...] = ("success",), tag: str = "setup") -> Build:
    pipeline = {"id": "p", "number": 2401, "project_slug": "gh/acme/backend", "created_at": NOW}
    workflows = [
        {"id": f"w{n}", "name": "generate", "tag": tag, "status": status, "created_at": NOW, "stopped_at": NOW}
        for n, status in enumerate(statuses)
    ]
    return Build(
        pipeline=Pipeline.model_validate({**pipeline, "state": state, "errors": errors}),
        runs=tuple(Run(workflow=Workflow.model_validate(one)) for one in workflows),
        read_at=NOW + timedelta(seconds=80),
    )


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (build("errored", ERROR), "CircleCI found an error in what its setup workflow went on with"),
        (build("created", ERROR), "no-such-job"),
        (build("created"), "nothing came after its setup workflow"),
        (build("created", ERROR, statuses=()), "CircleCI found an error in its configuration"),
        (build("created", statuses=()), "no workflow matched"),
        (build("created", statuses=("unauthorized",), tag=""), "a context refuses my token's user"),
        (build("created", *[ERROR | {"message": "line\n" * 200}]), "and 170 more lines, on CircleCI's page"),
    ],
    ids=["errored", "created", "nothing came", "no workflow", "none matched", "unauthorized", "long"],
)
def test_a_build_that_could_not_run_says_why(seen: Build, words: str) -> None:
    # C47
    told = final.final(seen, Report(), WATCH, Links())
    text = json.dumps([told.text, *told.blocks], ensure_ascii=False)
    assert violations(told) == []
    assert "Could not run" in text
    assert words in text
    assert not {"passed", "success", "green"} & set(text.lower().split())
    assert "Could not run" in json.dumps(root.root(seen, WATCH, Links(), final=True).blocks)


@pytest.mark.parametrize(
    ("status", "number", "said"),
    [
        ("running", 7, "#2419 still runs: no artifacts are there so far."),
        ("on_hold", 7, "#2419 waits for an approval, and has not ended: no artifacts are there so far."),
        ("unauthorized", 7, "#2419 could not run: a context refuses my token's user. It stored no artifacts."),
        ("failed", None, "#2419: job-0 failed, and CircleCI gives it no number, without which I find no artifacts."),
        ("failed", 7, ""),
        ("success", 7, ""),
    ],
)
def test_why_a_build_stored_nothing_is_said_where_it_is_known(status: str, number: int | None, said: str) -> None:
    one = any_build(status)
    jobs = tuple(job.model_copy(update={"job_number": number}) for job in one.runs[0].jobs)
    one = one.model_copy(update={"runs": (one.runs[0].model_copy(update={"jobs": jobs}),)})
    assert stored_nothing("#2419", one, "artifacts").startswith(said) if said else not stored_nothing("#2419", one, "x")
