"""Whole messages, over builds of every kind: within Slack's limits, and with one mention at most."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import (
    BotError,
    NotAllowed,
    NotFound,
    NotTriggered,
    RateLimited,
    Rejected,
    SlackError,
    StoreError,
    Unauthorized,
    Unavailable,
    UsageError,
)
from bot.models.build import Build, JobReport, Report, Run
from bot.models.circleci import Artifact, Job, Pipeline, PipelineId, ProjectSlug, Ref, TestResult, Workflow
from bot.models.slack import Thread, Watch
from bot.watching.changes import noteworthy
from formatters import errors, final, replies, root
from formatters.limits import violations
from formatters.links import Links
from formatters.report import group_artifacts

START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
HOSTILE = "<!channel> *bold* `code` | <https://evil.example|ok> & " + "x" * 500
STATUSES = ["success", "running", "failed", "failing", "on_hold", "canceled", "error", "unauthorized", "queued", "new"]


def watch() -> Watch:
    return Watch(
        id="Ev1",
        pipeline_id=PipelineId("p1"),
        pipeline_number=2417,
        project_slug=ProjectSlug("gh/acme/frontend"),
        project_title="acme/frontend",
        ref=Ref(name=HOSTILE),
        thread=Thread(channel_id="C0"),
        asker_id="U0ADA",
        asker_name=HOSTILE,
        asked_at=START,
    )


def build(status: str, jobs: int = 3, job_status: str = "failed") -> Build:
    pipeline = {"id": "p1", "number": 2417, "project_slug": "gh/acme/frontend", "created_at": START}
    vcs = {"branch": HOSTILE, "revision": "9f1c2d7a", "commit": {"subject": HOSTILE}}
    workflow = {"id": "w1", "name": HOSTILE, "status": status, "created_at": START, "stopped_at": START}
    names = [Job.model_validate({"id": f"j{n}", "name": f"{n} {HOSTILE}", "status": job_status}) for n in range(jobs)]
    return Build(
        pipeline=Pipeline.model_validate({**pipeline, "state": "created", "vcs": vcs}),
        runs=(Run(workflow=Workflow.model_validate(workflow), jobs=tuple(names)),),
        read_at=START + timedelta(minutes=6, seconds=12),
    )


def report(jobs: int) -> Report:
    tests = tuple(TestResult(name=HOSTILE, file=HOSTILE, message=HOSTILE, result="failure") for _ in range(57))
    files = tuple(Artifact(path=f"coverage/{n}.html", url="https://files.example/x|y") for n in range(120))
    looked = [
        JobReport(job=job, workflow_name="w", failed_tests=tests, tests_total=60, artifacts=files, problems=(HOSTILE,))
        for job in build("failed", jobs).runs[0].jobs[:4]
    ]
    return Report(jobs=tuple(looked), jobs_left_out=build("failed", jobs).runs[0].jobs[4:])


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("jobs", [0, 3, 90])
def test_every_message_about_a_build_is_within_slacks_limits(status: str, jobs: int) -> None:
    # C07: 90 failed jobs are the moment when a message must arrive.
    seen = build(status, jobs)
    made = [root.root(seen, watch(), Links(), final=last) for last in (True, False)]
    made.append(final.final(seen, report(jobs), watch(), Links()))
    if found := noteworthy(seen):
        made.append(replies.changes(seen, found, watch(), Links()))
    for message in made:
        shown = json.dumps(message.model_dump())
        assert violations(message) == []
        assert "<!channel>" not in shown
        assert "<https://evil" not in shown
        assert json.dumps(message.blocks).count("<@") <= 1


@pytest.mark.parametrize(
    "problem",
    [
        UsageError("I do not know this word.", given=HOSTILE, did_you_mean="deploy acme/frontend"),
        NotFound("branch", HOSTILE, looked_in="acme/frontend", built_lately=("main", HOSTILE)),
        NotAllowed("U0ADA", "deploy", HOSTILE),
        Unauthorized(),
        RateLimited(timedelta(seconds=7)),
        Rejected(400, HOSTILE),
        NotTriggered(HOSTILE),
        Unavailable(HOSTILE),
        Unavailable("no connection", arrived=False),
        StoreError("gone"),
        SlackError("chat.postMessage", HOSTILE),
    ],
    ids=lambda problem: type(problem).__name__,
)
def test_every_error_has_words(problem: BotError) -> None:
    message = errors.error(problem)
    shown = [message.text, *(block for block in message.blocks if block["type"] != "actions")]
    assert violations(message) == []
    assert "<!channel>" not in json.dumps(shown)


def test_a_coverage_report_is_one_line() -> None:
    files = [Artifact(path=f"coverage/{n}.html", url="https://f/x") for n in range(119)]
    groups = group_artifacts([Artifact(path="junit.xml", url="https://f/j"), *files])
    assert [(group.label, group.files) for group in groups] == [("junit.xml", 1), ("coverage", 119)]
