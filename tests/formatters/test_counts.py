"""A count is a count: what is left out of a list is numbered, in the same place; twins are told apart."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from bot.answers.branches import FlakyTests
from bot.answers.builds import BuildShown, Cancellable, Evidence, OnHold
from bot.answers.jobs import Artifacts, TestResults
from bot.answers.lists import FollowedProjects, ProjectResult, RecentBuilds
from bot.models.build import Build, Change, ChangeKind, FailingStep, JobReport, Report, Run
from bot.models.caller import Caller, Place
from bot.models.circleci import Artifact, Definition, Job, Pipeline, PipelineId, ProjectSlug, Ref, TestResult, Workflow
from bot.models.classic import BuildSummary
from bot.models.history import Extent
from bot.models.pending import Deployment, Pending
from bot.models.slack import Watch
from bot.triage.diagnosis import Triage, failure_id
from bot.triage.verdicts import Kind, Verdict
from formatters import answers, builds, choices, files, final, flakes, gate, lists, replies, results, stopped
from formatters.blocks import Message, clean, code, literal
from formatters.buttons import outcome_buttons
from formatters.limits import violations
from formatters.links import Links
from formatters.report import artifact_line, evidence, failing, group_artifacts
from formatters.words import listed

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
SLUG = ProjectSlug("gh/acme/backend")
COUNTED = re.compile(r"and (?:at least )?(\d+) more")


def shown(message: Message) -> str:
    """Return all that a message shows, checked against Slack's limits."""
    assert violations(message) == []
    return json.dumps(message.blocks, ensure_ascii=False)


def labels(message: Message) -> list[str]:
    return [one["text"]["text"] for block in message.blocks if block["type"] == "actions" for one in block["elements"]]


def left_out(text: str) -> int:
    """Return how many the text says are left out; 0 where it says nothing."""
    found = COUNTED.findall(text)
    assert len(found) <= 1, found
    return int(found[0]) if found else 0


def job(name: str, status: str = "success", **more: object) -> Job:
    return Job.model_validate({"id": name, "name": name, "status": status, **more})


def build(*jobs: Job, status: str = "failed") -> Build:
    pipeline = {"id": "p", "number": 2401, "project_slug": SLUG, "state": "created", "created_at": NOW}
    workflow = {"id": "w", "name": "build", "status": status, "created_at": NOW, "stopped_at": NOW}
    run = Run(workflow=Workflow.model_validate(workflow), jobs=jobs)
    return Build(pipeline=Pipeline.model_validate(pipeline), runs=(run,), read_at=NOW)


def watch() -> Watch:
    return Watch(
        id="e",
        pipeline_id=PipelineId("p"),
        pipeline_number=2401,
        project_slug=SLUG,
        project_title="acme/backend",
        ref=Ref(name="main"),
        thread=Place(channel_id="C0"),
        asked_at=NOW,
    )


@pytest.mark.parametrize("number", [3, 62, 400])
def test_of_many_jobs_the_failed_are_first_and_the_rest_is_counted(number: int) -> None:
    # C66: a cut by jobs and one by length followed each other
    jobs = [job(f"e2e-{n:03}-{'x' * 40}", "failed" if n % 50 == 49 else "success", job_number=n) for n in range(number)]
    text = shown(builds.one(BuildShown(title="acme/backend", build=build(*jobs)), Links()))
    assert len(re.findall(r"e2e-\d+-x+>", text)) + left_out(text) == number
    failed = [one.name for one in jobs if one.is_failed]
    assert all(name in text for name in failed)
    if number > 60:
        assert text.index("e2e-049") < text.index("e2e-000")


@pytest.mark.parametrize("number", [1, 12, 30])
def test_every_approval_has_a_button_or_is_counted(number: int) -> None:
    # C66
    holds = [job(f"hold-{n}", "on_hold", type="approval") for n in range(number)]
    seen = build(*holds, status="on_hold")
    told = choices.on_hold(OnHold(title="acme/backend", build=seen, waiting=(seen,), looked_at=1))
    assert len(labels(told)) >= min(number, 12)
    assert len(labels(told)) + left_out(shown(told)) == number
    found = [Change(kind=ChangeKind.ON_HOLD, workflow=seen.runs[0].workflow, job=one) for one in holds]
    reply = replies.changes(seen, found, watch(), Links())
    rest = number - len(labels(reply))
    assert len(labels(reply)) >= min(number, 12)
    assert (f"{rest} more buttons did not fit here" in shown(reply)) is (rest > 0)


def test_a_notification_names_what_waits_for_somebody_first() -> None:
    seen = build(job("hold", "on_hold", type="approval"), status="on_hold")
    flow = seen.runs[0].workflow
    late = Change(kind=ChangeKind.LATE, workflow=flow)
    hold = Change(kind=ChangeKind.ON_HOLD, workflow=flow, job=seen.runs[0].jobs[0])
    told = replies.changes(seen, [late, hold], watch(), Links())
    assert told.text == "acme/backend #2401: hold waits for an approval. And 1 more change."


def test_every_running_build_can_be_cancelled_or_is_counted() -> None:
    told = choices.cancellable(Cancellable(title="acme/backend", builds=(build(status="running"),) * 20))
    assert len(labels(told)) + left_out(shown(told)) == 20
    assert "all branches. Older ones may run too: name one by its number." in shown(told)
    two = choices.cancellable(Cancellable(title="acme/backend", builds=(build(status="running"),) * 2))
    assert "Older ones" not in shown(two)


def test_that_there_may_be_older_approvals_is_said() -> None:
    seen = build(job("hold", "on_hold", type="approval"), status="on_hold")
    for looked_at, is_said in ((20, True), (19, False)):
        told = choices.on_hold(OnHold(title="acme/backend", build=seen, waiting=(seen,), looked_at=looked_at))
        assert ("Older ones may wait too: name one by its number." in shown(told)) is is_said


def test_what_no_workflow_matched_is_not_offered_to_be_cancelled() -> None:
    stale = [build().model_copy(update={"runs": (), "read_at": NOW + timedelta(hours=5)})] * 19
    told = choices.cancellable(Cancellable(title="acme/backend", builds=(*stale, build(status="running"))))
    assert told.text == "1 build of acme/backend is not finished."
    assert labels(told) == ["Cancel #2401"]
    assert "I looked at the 20 newest builds of all branches." in shown(told)
    named = choices.cancellable(Cancellable(title="acme/backend", builds=(stale[0],), is_named=True))
    assert "#2401 has ended. ⚠️ Could not run." in shown(named)


@pytest.mark.parametrize("number", [2, 30, 77])
def test_every_definition_can_be_chosen_or_is_counted(number: int) -> None:
    # C46
    wish = Deployment(project_slug=SLUG, project_title="acme/mobile", ref=Ref(name="main"))
    asked = Pending(id="d" * 40, wish=wish, asker=Caller(person_id="U0ADA", delivery_id="d"), asked_at=NOW)
    known = [Definition(id=f"{n:036}", name=f"definition {n}") for n in range(number)]
    told = gate.which_definition(asked, known)
    assert labels(told) == [f"{one.name} on main" for one in known[:30]]
    assert len(labels(told)) + left_out(shown(told)) == number


def test_definitions_of_one_name_are_told_apart_by_their_ids() -> None:
    wish = Deployment(project_slug=SLUG, project_title="acme/mobile", ref=Ref(name="main"))
    asked = Pending(id="d" * 40, wish=wish, asker=Caller(person_id="U0ADA", delivery_id="d"), asked_at=NOW)
    known = [Definition(id=f"{n:036}", name="deploy" * 20) for n in range(31)]
    told = gate.which_definition(asked, known)
    assert [one.id in label for one, label in zip(known, labels(told), strict=False)] == [True] * 30
    assert f"`{known[-1].id}`" in shown(told)


def failures(number: int, message: str = "expected 1, got 2") -> tuple[TestResult, ...]:
    return tuple(TestResult(name=f"test_{n:04}", message=message, result="failure") for n in range(number))


@pytest.mark.parametrize("number", [0, 3, 14, 57, 200])
@pytest.mark.parametrize("message", ["", "Endpoint\n• Expected - 200\n• Expected - json", "x" * 2000])
def test_failing_tests_are_counted_and_not_their_bullets(number: int, message: str) -> None:
    # C55
    text = failing(failures(number, message), 10)
    assert text.count("`test_") + left_out(text) == number
    told = results.summary(
        TestResults(title="t", failed=failures(number, message), tests_failed=3000, tests_total=3000)
    )
    assert shown(told).count("`test_") + left_out(shown(told)) == (
        3000 if number else shown(told).count("`test_") + 3000
    )


def test_a_count_of_the_pages_read_says_so() -> None:
    # C68
    one = JobReport(
        job=job("a", "failed"), workflow_name="w", failed_tests=failures(4), tests_failed=4, tests_total=500
    )
    whole = Report(jobs=(one,))
    beyond = Report(jobs=(one.model_copy(update={"more_tests": True, "more_artifacts": True}), one))
    failed = build(job("a", "failed"), job("b", "failed"))
    assert "4 of 500 tests." in shown(final.final(failed, whole, watch(), Links()))
    assert "8 of the first 1000 test results, there are more." in shown(final.final(failed, beyond, watch(), Links()))
    assert "and at least 1 more" in "".join(json.dumps(block) for block in evidence(many_beyond(one)))
    text = shown(answers.evidence(Evidence(build=failed, report=beyond, shown="tests")))
    assert "8 of the first 1000 test results, there are more" in text
    told = results.summary(TestResults(title="t", failed=failures(4), tests_failed=4, tests_total=20_000, more=True))
    assert "4 of the first 20000 tests failed; there are more tests than I read" in shown(told)


def many_beyond(one: JobReport) -> Report:
    more = {"failed_tests": failures(11), "tests_failed": 11, "more_tests": True}
    return Report(jobs=(one.model_copy(update=more),))


def files_of(*paths: str, node: int = 0, job_name: str = "") -> list[Artifact]:
    return [Artifact(path=path, node_index=node, url=f"https://x/{node}/{path}", job_name=job_name) for path in paths]


@pytest.mark.parametrize(
    ("stored", "names"),
    [
        # C57
        (
            [*files_of("coverage/index.html"), *files_of("coverage/index.html", node=1)],
            ["coverage/index.html · run 1", "coverage/index.html · run 2"],
        ),
        (files_of("a/report.xml", "b/report.xml", "junit.xml"), ["a/report.xml", "b/report.xml", "junit.xml"]),
        (
            [*files_of("junit.xml", job_name="unit"), *files_of("junit.xml", job_name="e2e")],
            ["junit.xml · unit", "junit.xml · e2e"],
        ),
        (
            [*files_of(*(f"c/{n}" for n in range(5))), *files_of(*(f"c/{n}" for n in range(5)), node=1)],
            ["c · run 1", "c · run 2"],
        ),
        ([*files_of("c/1", "c/2"), *files_of("c/3", "c/4", node=1)], ["c"]),
    ],
    ids=["parallel runs", "folders", "jobs", "large folders", "one folder"],
)
def test_files_of_one_name_are_told_apart(stored: list[Artifact], names: list[str]) -> None:
    assert [group.label for group in group_artifacts(stored)] == names
    assert sum(group.files for group in group_artifacts(stored)) == len(stored)


def test_one_of_two_files_of_the_same_path_is_asked_for_by_its_run() -> None:
    twins = [*files_of("coverage/index.html"), *files_of("coverage/index.html", node=1)]
    told = files.artifacts(Artifacts(title="acme/cli", found=tuple(twins), stored=2, wanted=("index",), which=True))
    assert "index.html · run 1" in shown(told)
    assert "index.html · run 2" in shown(told)


@pytest.mark.parametrize("number", [1, 117, 3000])
def test_every_file_is_listed_or_counted(number: int) -> None:
    found = tuple(files_of(*(f"logs/worker-{n:04}.log" for n in range(number))))
    text = shown(files.artifacts(Artifacts(title="t", found=found, stored=number, wanted=("worker",))))
    assert len(re.findall(r"\|logs/worker-", text)) + left_out(text) == number
    assert f"{number} of " in text
    beyond = Artifacts(title="t", found=found, stored=number, more=True, jobs_left_out=3)
    assert "there are more (3 more jobs not asked)" in shown(files.artifacts(beyond))
    assert "there are more" in artifact_line(found, more=True)


def test_lists_over_all_projects_count_what_they_leave_out() -> None:
    ran = tuple(BuildSummary(build_num=n, username="acme", reponame=f"p{n}-{'x' * 90}") for n in range(90))
    text = shown(lists.recent(RecentBuilds(builds=ran), Links()))
    assert len(re.findall(r"acme/p\d+", text)) + left_out(text) == 90
    followed = tuple(
        ProjectResult(project_slug=SLUG, project_title=f"acme/p{n}", default_branch="main", number=n, status=status)
        for n in range(300)
        for status in ["failed" if n == 299 else "success"]
    )
    text = shown(lists.projects(FollowedProjects(of=300, projects=followed)))
    assert text.index("acme/p299") < text.index("acme/p0")
    assert len(re.findall(r"acme/p\d+", text)) + left_out(text) == 300


@pytest.mark.parametrize(
    ("failed", "status", "begins", "ends"),
    [
        (0, "success", "✅ *b*", "0 of 2 tests failed."),
        (0, "failed", "*b*", "0 of 2 tests failed. The build failed all the same."),
        (0, "running", "*b*", "0 of 2 tests failed. The build has not ended."),
        (0, "canceled", "*b*", "0 of 2 tests failed."),
        (0, None, "*b*", "0 of 2 tests failed."),
        (1, "failed", "❌ *b*", "1 of 2 tests failed."),
    ],
)
def test_tests_that_passed_make_no_green_build(failed: int, status: str | None, begins: str, ends: str) -> None:
    whole = build(status=status) if status else None
    told = results.summary(TestResults(title="b", tests_failed=failed, tests_total=2, build=whole)).blocks[0]
    assert told["text"]["text"] == f"{begins}: {ends}"


def test_further_failures_of_one_name_are_told() -> None:
    told = shown(results.summary(TestResults(title="b", tests_failed=1, tests_total=2, repeated=1)))
    assert "1 further failure bears the name of one of them" in told
    assert "further" not in shown(results.summary(TestResults(title="b", tests_failed=1, tests_total=2)))


def test_what_none_of_its_workflows_was_to_run_is_not_called_an_error() -> None:
    none = build(status="not_run")
    assert stopped.why(none) == "none of its workflows was to run"
    assert "no workflow matched" in str(list(stopped.details(none)))
    assert not any("rerun" in str(one) for one in outcome_buttons(none, watch(), none.state))


def test_how_few_builds_there_are_is_said() -> None:
    few = FlakyTests(project_slug=SLUG, title="t", branch="main", over=2, asked=50, builds=10, with_data=10)
    assert "more than 2 of the last 10 builds (I found only 10)" in flakes.ranking(few, Links()).text
    alone = few.model_copy(update={"builds": 1, "with_data": 1})
    said = "no test failed in more than 2 builds, because I found only 1 build that ended"
    assert said in flakes.ranking(alone, Links()).text


@pytest.mark.parametrize("word", ["core::rocket::tests", "left: 1:100:2", ":bomb:", "nightly:moon:eu", "a:+1:b"])
def test_a_word_between_colons_is_no_picture(word: str) -> None:
    # C70
    picture = re.compile(r":[\w+'-]+:")
    for made in (literal(word), clean(word)):
        assert not picture.search(made)
        assert made.replace("\u2060", "") == word
        assert clean(made) == clean(word)
    assert code(word) == f"`{word}`"


def test_of_a_long_name_the_end_stays() -> None:
    # C57
    names = [f"{'very/long/folder/' * 20}test_{n}.py" for n in range(3)]
    for made in ([literal(name, 80, name=True) for name in names], [code(name, 80) for name in names]):
        assert len(set(made)) == 3
        assert all(len(one) <= 82 and "…" in one for one in made)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a", "b"], "a, b"),
        (["unit", "e2e", "lint", "docs", "build"], "unit, e2e, lint, docs and 1 more"),
        (
            [f"e2e / scenario {n:02} / python 3.9 / lts" for n in range(90)],
            "e2e / scenario … / python 3.9 / lts: 00, 01, 02, 03 and 86 more",
        ),
        ([f"integration-tests-shard-{n}" for n in range(6)], "integration-tests-shard-…: 0, 1, 2, 3 and 2 more"),
        (["same"] * 6, "same, same, same, same and 2 more"),
    ],
)
def test_what_many_names_have_in_common_is_said_once(names: Sequence[str], said: str) -> None:
    assert listed(names) == said


def report_of(name: str, **more: object) -> JobReport:
    base = {"job": job(name, "failed"), "workflow_name": "w", "failed_tests": failures(3), "tests_failed": 3}
    return JobReport.model_validate({**base, **more})


@pytest.mark.parametrize(
    ("number", "message", "label"),
    [(3, "no", None), (10, "no", None), (11, "no", "Show all 11 failures"), (10, "x" * 2000, "Show all 10 failures")],
)
def test_failures_that_do_not_fit_have_a_button(number: int, message: str, label: str | None) -> None:
    found = failures(number, f"{message}\n{message}1\n{message}2")
    one = report_of("a", failed_tests=found, tests_failed=number, tests_total=60)
    told = final.final(build(job("a", "failed")), Report(jobs=(one,)), watch(), Links())
    assert (left_out(shown(told)) > 0) is (label is not None)
    assert [one for one in labels(told) if "failures" in one] == ([label] if label else [])


def test_two_jobs_with_the_same_failing_tests_print_them_once() -> None:
    one, other, third = report_of("a"), report_of("b"), report_of("c", failed_tests=failures(2), tests_failed=2)
    text = json.dumps([*evidence(Report(jobs=(one, other, third)))])
    assert text.count("test_0000") == 2
    assert "The same 3 tests as in a." in text
    verdicts = {failure_id(other, test): Verdict(kind=Kind.FLAKE, failed=2, looked=9) for test in other.failed_tests}
    judged = Triage(extent=Extent(base="main"), tests=verdicts)
    assert json.dumps([*evidence(Report(jobs=(one, other)), judged)]).count("test_0000") == 2


def test_what_circleci_says_of_a_job_is_quoted_and_no_rerun_advised() -> None:
    # C49
    refused = report_of("a", failed_tests=(), tests_failed=0, reasons=("Resource class xlarge is not available.",))
    text = json.dumps([*evidence(Report(jobs=(refused, report_of("b"))))])
    assert "CircleCI says: Resource class xlarge is not available." in text


@pytest.mark.parametrize(
    ("indexes", "words"),
    [
        ((0,), "1 of 30 parallel runs failed (number 1)"),
        ((0, 2), "2 of 30 parallel runs failed (1 and 3)"),
        ((0, 2, 3), "3 of 30 parallel runs failed (1, 3 and 4)"),
        (tuple(range(30)), "30 of 30 parallel runs failed (1, 2, 3, 4, 5, 6, 7, 8, 9 and 21 more)"),
    ],
)
def test_parallel_runs_are_named(indexes: tuple[int, ...], words: str) -> None:
    step = FailingStep(name="test", indexes=indexes, parallelism=30, run_time=timedelta(minutes=1))
    text = json.dumps([*evidence(Report(jobs=(report_of("a", failed_tests=(), tests_failed=0, step=step),)))])
    assert f"1 min, {words}." in text
