"""Whole messages, over builds of every kind: within Slack's limits, and with one mention at most."""

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Literal

import pytest

from bot.actions import RerunAll
from bot.answers.builds import Evidence
from bot.errors import (
    BotError,
    NotAllowed,
    NotFound,
    NothingToDo,
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
from bot.models.caller import Place
from bot.models.circleci import Artifact, Job, Pipeline, PipelineId, ProjectSlug, Ref, TestResult, Vcs, Workflow
from bot.models.history import Extent, Transition, Turn
from bot.models.slack import Watch
from bot.triage.advice import advise
from bot.triage.diagnosis import Triage, failure_id
from bot.triage.verdicts import Kind, Verdict
from bot.watching.changes import noteworthy
from formatters import answers, errors, final, replies, root
from formatters.blocks import Message, actions, button, section
from formatters.limits import violations
from formatters.links import Links
from formatters.report import group_artifacts
from formatters.words import duration, ref_words

START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
HOSTILE = "<!channel> *bold* `code` | <https://evil.example|ok> & " + "x" * 500
STATUSES = ["success", "running", "failed", "failing", "on_hold", "canceled", "error", "unauthorized", "queued", "new"]

PARTS: tuple[Literal["log", "tests", "artifacts"], ...] = ("log", "tests", "artifacts")
NOTHING = ["nothing_to_rerun", "rerun_too_old", "already_running"]


def watch() -> Watch:
    return Watch(
        id="Ev1",
        pipeline_id=PipelineId("p1"),
        pipeline_number=2417,
        project_slug=ProjectSlug("gh/acme/frontend"),
        project_title="acme/frontend",
        ref=Ref(name=HOSTILE),
        thread=Place(channel_id="C0"),
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


@cache
def report(jobs: int) -> Report:
    tests = tuple(TestResult(name=HOSTILE, file=HOSTILE, message=HOSTILE, result="failure") for _ in range(57))
    files = tuple(Artifact(path=f"coverage/{n}.html", url="https://files.example/x|y") for n in range(120))
    looked = [
        JobReport(job=job, workflow_name="w", failed_tests=tests, tests_total=60, artifacts=files, problems=(HOSTILE,))
        for job in build("failed", jobs).runs[0].jobs[:4]
    ]
    return Report(jobs=tuple(looked), jobs_left_out=build("failed", jobs).runs[0].jobs[4:])


def triage(jobs: int, kind: Kind) -> Triage:
    found = report(jobs)
    verdict = Verdict(kind=kind, failed=7, looked=40, flips=5, since=2391, cause=HOSTILE)
    return Triage(
        extent=Extent(base=HOSTILE, builds=40, with_data=12, unread=3),
        tests={failure_id(job, test): verdict for job in found.jobs for test in job.failed_tests},
        jobs={job.id: verdict for job in (*found.jobs_left_out, *(one.job for one in found.jobs))},
        transition=Transition(turn=Turn.STILL_BROKEN, times=3, since=2391, same_as=2416),
        advice=advise([verdict]),
        rerun_takes=timedelta(minutes=4),
        wait_for=2391,
    )


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("jobs", [0, 3, 90])
def test_every_message_about_a_build_is_within_slacks_limits(status: str, jobs: int) -> None:
    # C07: 90 failed jobs are the moment when a message must arrive.
    seen = build(status, jobs)
    made = [root.root(seen, watch(), Links(), final=last) for last in (True, False)]
    made.append(final.final(seen, report(jobs), watch(), Links()))
    made += [final.final(seen, report(jobs), watch(), Links(), triage(jobs, kind)) for kind in Kind]
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


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=-400), "0 s"),
        (timedelta(seconds=41), "41 s"),
        (timedelta(minutes=6, seconds=12), "6 min 12 s"),
        (timedelta(hours=2, minutes=5), "2 h 5 min"),
        (timedelta(minutes=4), "4 min"),
        (timedelta(hours=3), "3 h"),
        (timedelta(hours=47, minutes=59), "47 h 59 min"),
        (timedelta(hours=50), "2 days 2 h"),  # C64
        (timedelta(days=3), "3 days"),
        (timedelta(days=29, hours=17), "29 days"),
    ],
)
def test_durations_are_said_as_a_person_says_them(span: timedelta, words: str) -> None:
    # C33
    assert duration(span) == words


def test_a_ref_is_always_readable() -> None:
    # C03
    bare = build("success").pipeline.model_copy(update={"vcs": None})
    nameless = build("success").model_copy(update={"pipeline": bare})
    assert ref_words(None, nameless) == "unknown ref"
    assert ref_words(Ref(name="v1.0.0", kind="tag"), nameless) == "tag v1.0.0"
    revised = bare.model_copy(update={"vcs": Vcs(revision="0e6e66c14e61")})
    assert ref_words(None, nameless.model_copy(update={"pipeline": revised})) == "0e6e66c"


def test_every_answer_is_within_the_limits() -> None:
    reports = [report(90), Report(), Report(artifacts_problem=HOSTILE)]
    made = [
        *(
            answers.evidence(Evidence(build=build("failed"), report=found, shown=part))
            for found in reports
            for part in PARTS
        ),
        *(errors.error(NothingToDo(why, what=HOSTILE, number=2417, state="running")) for why in NOTHING),
        answers.lost_answer_not_found(Ref(name=HOSTILE), HOSTILE, f"deploy {HOSTILE}"),
        answers.lost_answer_unknown(Ref(name=HOSTILE), HOSTILE, goes_on=True),
        answers.lost_answer_unclear(Ref(name=HOSTILE), HOSTILE, f"deploy {HOSTILE}"),
        errors.token_refused(""),
        errors.token_refused("gh/acme"),
        errors.channel_gone("C0DEPLOYS", "is_archived"),
        errors.unexpected("7f3a"),
    ]
    for message in made:
        assert violations(message) == []
        assert "<!channel>" not in json.dumps(message.model_dump())


@pytest.mark.parametrize(
    "blocks",
    [
        (section(""),),
        (section("x" * 3001),),
        tuple(section("x") for _ in range(51)),
        tuple(section("x" * 2900) for _ in range(5)),
        ({"type": "actions", "elements": []},),
        ({"type": "context", "elements": []},),
        ({"type": "carousel"},),
        (actions(button(RerunAll(pipeline_id="1"), "Rerun"), button(RerunAll(pipeline_id="2"), "Rerun")),),
        (actions(button(RerunAll(pipeline_id="1"), "R") | {"text": {"type": "plain_text", "text": "x" * 76}}),),
    ],
)
def test_what_slack_would_refuse_is_found(blocks: tuple[dict[str, object], ...]) -> None:
    assert violations(Message(text="A sentence.", blocks=blocks))
    assert violations(Message(text=""))


def test_many_failures_at_once_are_one_line() -> None:
    seen = build("failing", 90)
    text = replies.changes(seen, noteworthy(seen), watch(), Links()).blocks[0]["text"]["text"]
    assert text.count("❌") == 1
    assert text.startswith("❌ 90 jobs failed (")
    assert text.endswith("and 87 more.")


def test_several_failed_jobs_are_told_apart_and_the_rest_is_counted() -> None:
    whole = report(90)
    few = [job.model_copy(update={"failed_tests": job.failed_tests[:1], "problems": ()}) for job in whole.jobs]
    told = final.final(build("failed", 90), whole.model_copy(update={"jobs": tuple(few)}), watch(), Links())
    shown = [block["text"]["text"] for block in told.blocks[1:] if block["type"] == "section"]
    assert [text[:3] for text in shown[:8:2]] == ["*0 ", "*1 ", "*2 ", "*3 "]
    (left_out,) = [text for text in shown if "not looked into" in text]
    assert left_out.startswith("86 more failed jobs")
    assert left_out.endswith("and 76 more")
