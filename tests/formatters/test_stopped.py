"""Why a build could not run: by CircleCI's own words, and without a word of success."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.models.build import Build, Report, Run
from bot.models.caller import Place
from bot.models.circleci import Job, Pipeline, PipelineId, ProjectSlug, Ref, Workflow
from bot.models.slack import Watch
from formatters import final, root
from formatters.limits import violations
from formatters.links import Links
from formatters.stopped import stored_nothing, which_job
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


@pytest.mark.parametrize(
    ("status", "jobs", "numbered", "asked"),
    [
        (
            "running",
            ("running", "queued"),
            1,
            "still runs: none of its jobs has failed so far. Which one? `job-0` `1`.",
        ),
        ("running", ("queued",), 0, "still runs: no job of it has begun."),
        ("on_hold", ("success",), 1, "waits for an approval, and has not ended: none of its jobs has failed so far. "),
        ("failing", ("failed", "failed", "running"), 3, "2 jobs of #2417 failed. Which one? `job-0` `1`, `job-1` `2`."),
        ("failed", ("failed", "success"), 0, "`job-0` of #2417 failed, and CircleCI gives no number"),
        ("success", ("success", "success"), 2, "No job of #2417 failed. Which one? `job-0` `1`, `job-1` `2`."),
        ("unauthorized", (), 0, "#2417 could not run: a context refuses my token's user. No job of it ran."),
        ("success", ("success",) * 17, 17, "`job-14` `15` and 2 more."),
    ],
)
def test_which_job_is_asked_with_what_there_is_so_far(
    status: str, jobs: tuple[str, ...], numbered: int, asked: str
) -> None:
    one = any_build(status, jobs=jobs)
    ran = [
        job.model_copy(update={"job_number": n}) if n <= numbered else job
        for n, job in enumerate(one.runs[0].jobs, start=1)
    ]
    hold = Job.model_validate({"id": "h", "name": "hold", "type": "approval", "status": "on_hold", "job_number": 99})
    run = one.runs[0].model_copy(update={"jobs": (*ran, hold)})
    said = which_job(one.model_copy(update={"runs": (run,)}))
    assert asked in said
    assert "99" not in said
