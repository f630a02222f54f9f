from typing import Any

import httpx
import pytest

from bot.circleci.reads import circleci_reads
from bot.circleci.report import report
from bot.models.build import Build, JobReport, Report, Run
from bot.models.circleci import Job, Pipeline, Workflow
from tests.circleci.conftest import DATE, FarSide, page

V2 = "GET /api/v2/project/gh/acme/frontend"
V1 = "GET /api/v1.1/project/gh/acme/frontend"
LOG = "https://storage.example/log?KEY"
RED_TEST = {"name": "adds item", "classname": "Cart", "result": "failure", "message": "expected 2 got 1"}
CUT = '{"tests":[{"name":"a","result":"success"},{"name":"b","result":"fail\n{"message":"Internal server error."}'


def job(number: int | None, status: str = "failed", **more: object) -> dict[str, object]:
    return {"id": f"id-{number}", "name": f"job {number}", "status": status, "job_number": number, **more}


def build(*jobs: dict[str, object], status: str = "failed") -> Build:
    pipeline = {"id": "p", "number": 1, "project_slug": "gh/acme/frontend", "state": "created", "created_at": DATE}
    workflow = Workflow.model_validate({"id": "w", "name": "build", "status": status, "created_at": DATE})
    run = Run(workflow=workflow, jobs=tuple(Job.model_validate(job) for job in jobs))
    return Build(pipeline=Pipeline.model_validate(pipeline), runs=(run,), read_at=DATE)


def action(index: int = 0, status: str = "success", **more: object) -> dict[str, object]:
    return {"name": "npm test", "index": index, "status": status, "has_output": True, "output_url": LOG, **more}


def step(name: str, *actions: dict[str, object]) -> dict[str, object]:
    return {"name": name, "actions": list(actions)}


RED_STEPS = [
    step("Spin up environment", action()),
    step("npm test", action(status="failed", failed=True, exit_code=1, run_time_millis=1500)),
    step("Upload logs, when: always", action()),
]


def has(
    far_side: FarSide, number: int, *, tests: object = None, artifacts: object = None, steps: object = None
) -> None:
    """Let a job of that number have all its evidence, or what is given instead."""
    far_side.says(f"{V2}/{number}/tests", page() if tests is None else tests)
    far_side.says(
        f"{V2}/{number}/artifacts", page({"path": "a.html", "url": "https://a"}) if artifacts is None else artifacts
    )
    far_side.says(f"{V1}/{number}", {"build_num": number, "steps": RED_STEPS} if steps is None else steps)
    far_side.says("GET /log?KEY", [{"type": "out", "message": "compiling\nFAIL cart\n"}])


async def look(far_side: FarSide, seen: Build) -> Report:
    return await report(circleci_reads(far_side.transport), seen)


async def look_at_7(far_side: FarSide) -> JobReport:
    found = await look(far_side, build(job(7)))
    assert len(found.jobs) == 1
    return found.jobs[0]


async def test_failing_tests_take_the_place_of_the_log(far_side: FarSide) -> None:
    has(far_side, 7, tests=page({"name": "b", "result": "success"}, RED_TEST, {"name": "c", "result": "skipped"}))
    found = await look_at_7(far_side)
    assert [test.name for test in found.failed_tests] == ["adds item"]
    assert found.tests_total == 3
    assert found.step
    assert (found.step.name, found.step.exit_code, found.step.lines) == ("npm test", 1, ())
    assert [artifact.path for artifact in found.artifacts] == ["a.html"]
    assert (found.workflow_name, found.problems) == ("build", ())
    assert len(far_side.requests) == 3


async def test_without_test_results_the_log_is_shown(far_side: FarSide) -> None:
    has(far_side, 7)
    found = await look_at_7(far_side)
    assert found.step
    assert (found.step.lines, found.step.log_shortened) == (("compiling", "FAIL cart"), False)
    assert found.problems == ()


async def test_two_failed_jobs_cost_at_most_eight_requests(far_side: FarSide) -> None:
    has(far_side, 7)
    has(far_side, 8)
    found = await look(far_side, build(job(7), job(8), job(9, "success")))
    assert [each.job.job_number for each in found.jobs] == [7, 8]
    assert len(far_side.requests) == 8


async def test_ninety_failed_jobs_are_not_all_looked_into(far_side: FarSide) -> None:
    for number in range(90):
        has(far_side, number + 1)
    found = await look(far_side, build(job(None, "unauthorized"), *(job(number + 1) for number in range(90))))
    assert [each.job.job_number for each in found.jobs] == [1, 2, 3, 4]
    assert len(found.jobs_left_out) == 87
    assert len(far_side.requests) == 16


async def test_tests_that_cannot_be_read_are_not_no_failing_tests(far_side: FarSide) -> None:
    has(far_side, 7, tests=httpx.Response(200, text=CUT))
    found = await look_at_7(far_side)
    assert found.problems == ("test results could not be read",)
    assert found.step
    assert found.step.lines == ("compiling", "FAIL cart")


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (httpx.Response(404, json={"message": "Job not found."}), "artifacts could not be listed: Job not found."),
        (httpx.Response(200, json={"message": "…"}), "artifacts could not be listed"),
        (page() | {"items": None}, "artifacts could not be listed"),
    ],
    ids=["404", "only a message", "items null"],
)
async def test_missing_artifacts_leave_the_rest_standing(far_side: FarSide, reply: object, problem: str) -> None:
    has(far_side, 7, artifacts=reply, tests=page(RED_TEST))
    found = await look_at_7(far_side)
    assert found.problems == (problem,)
    assert (len(found.failed_tests), found.step and found.step.name) == (1, "npm test")
    passed = await look(far_side, build(job(7, "success"), status="success"))
    assert passed.artifacts_problem == problem


async def test_failing_containers_are_named_once(far_side: FarSide) -> None:
    actions = [action(0, "failed", failed=True), action(1), action(2, "failed", failed=True)]
    has(far_side, 7, steps={"build_num": 7, "steps": [step("t_native_test", *actions)]})
    found = await look_at_7(far_side)
    assert found.step
    assert (found.step.indexes, found.step.parallelism) == ((0, 2), 3)


@pytest.mark.parametrize(
    "failed",
    [{"status": "timedout"}, {"status": "infrastructure_fail"}, {"timedout": True}, {"infrastructure_fail": True}],
    ids=str,
)
async def test_a_step_fails_in_more_than_one_way(far_side: FarSide, failed: dict[str, Any]) -> None:
    has(far_side, 7, steps={"build_num": 7, "steps": [step("wait", action(**{"status": "", **failed}))]})
    found = await look_at_7(far_side)
    assert found.step
    assert found.step.name == "wait"


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ([], "CircleCI lists no steps of it, and gives no reason"),
        ([step("npm test", action())], "CircleCI names no failing step, and gives no reason"),
        ([step("npm test", {"index": 0, "status": "failed", "has_output": True})], "the log is not uploaded yet"),
        (None, "the failing step could not be read: Not Found"),
    ],
    ids=["gone", "none failed", "log not uploaded", "404"],
)
async def test_what_is_missing_is_said(far_side: FarSide, steps: object, problem: str) -> None:
    answer = httpx.Response(404) if steps is None else {"build_num": 7, "steps": steps}
    has(far_side, 7, steps=answer)
    assert (await look_at_7(far_side)).problems == (problem,)


async def test_a_step_without_output_has_no_log_to_miss(far_side: FarSide) -> None:
    has(far_side, 7, steps={"build_num": 7, "steps": [step("x", {"status": "failed"})]})
    found = await look_at_7(far_side)
    assert (found.problems, found.step and found.step.lines) == ((), ())


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (httpx.Response(403), "the log could not be read: Forbidden"),
        (httpx.ConnectError(""), "the log could not be read"),
    ],
    ids=["expired", "away"],
)
async def test_a_log_that_cannot_be_had_is_said(far_side: FarSide, reply: object, problem: str) -> None:
    has(far_side, 7)
    far_side.says("GET /log?KEY", reply)
    assert (await look_at_7(far_side)).problems == (problem,)


class _Broken(httpx.AsyncByteStream):
    async def __aiter__(self):  # type: ignore[no-untyped-def]
        yield b'[{"message":"half a l'
        raise httpx.ReadError("")


async def test_a_log_that_breaks_off_is_shown_so_far(far_side: FarSide) -> None:
    has(far_side, 7)
    far_side.says("GET /log?KEY", httpx.Response(200, stream=_Broken()))
    found = await look_at_7(far_side)
    assert found.step
    assert (found.step.lines, found.step.log_shortened) == (("half a l",), True)
    assert found.problems == ("the log could not be read to its end in time",)


async def test_a_long_log_is_shortened_and_says_so(far_side: FarSide) -> None:
    has(far_side, 7)
    far_side.says("GET /log?KEY", [{"message": "\n".join(str(number) for number in range(500))}])
    found = await look_at_7(far_side)
    assert found.step
    assert (found.step.lines[0], found.step.lines[-1], found.step.log_shortened) == ("…", "499", True)


async def test_a_job_that_never_started_costs_nothing(far_side: FarSide) -> None:
    found = await look(far_side, build(job(None, "unauthorized")))
    assert found.jobs[0].problems == ("it never started",)
    assert far_side.requests == []


async def test_very_many_test_results_are_counted_as_read(far_side: FarSide) -> None:
    has(far_side, 7, tests=page(RED_TEST, token="t0"))
    for number in range(5):
        far_side.says(
            f"{V2}/7/tests?page-token=t{number}", page(RED_TEST | {"name": str(number)}, token=f"t{number + 1}")
        )
    found = await look_at_7(far_side)
    assert (found.tests_total, found.problems) == (5, ("only the first 5 test results were read",))
    assert (found.tests_failed, found.more_tests) == (5, True)


async def test_all_pages_of_the_files_are_read_and_what_is_beyond_is_said(far_side: FarSide) -> None:
    # C68
    files = [{"path": f"logs/{number}", "url": f"https://x/{number}"} for number in range(7)]
    has(far_side, 7, artifacts=page(files[0], token="t0"))
    for number in range(6):
        token = f"t{number + 1}" if number < 5 else None
        far_side.says(f"{V2}/7/artifacts?page-token=t{number}", page(files[number + 1], token=token))
    found = await look_at_7(far_side)
    assert (len(found.artifacts), found.more_artifacts) == (5, True)
    passed = await look(far_side, build(job(7, "success"), status="success"))
    assert (len(passed.artifacts), passed.more_artifacts) == (5, True)


async def test_of_a_long_message_what_tells_is_read_wherever_it_stands(far_side: FarSide) -> None:
    # C54, of some ten thousand characters; and C52: what only a terminal understands is nowhere
    noise = "\n".join(f"12:00:{number:02} INFO page {number} rendered {'x' * 200}" for number in range(60))
    last = RED_TEST | {"message": f"{noise}\n==> expected: <200> but was: <500>"}
    first = RED_TEST | {"name": "b", "message": f"AssertionError: no header\n{noise}"}
    coloured = {
        "classname": "api \x1b[1msuite\x1b[0m",
        "name": "returns [33mok[39m",
        "result": "failure",
        "message": "\x1b[2mexpect(\x1b[22m\x1b[31mgot\x1b[39m\x1b[2m)\x1b[22m\n\nRate over [5m]: \x1b[31m500\x1b[39m",
    }
    has(far_side, 7, tests=page(last, first, coloured))
    tests = (await look_at_7(far_side)).failed_tests
    assert "==> expected: <200> but was: <500>" in tests[0].message
    assert "AssertionError: no header" in tests[1].message
    assert all(len(test.message) <= 2000 for test in tests)
    assert (tests[2].classname, tests[2].name) == ("api suite", "returns ok")
    assert tests[2].message == "expect(got)\n\nRate over [5m]: 500"


WHY = "Resource class docker for xlarge is not available for your project."


@pytest.mark.parametrize(
    ("v1", "v2", "reasons", "problems"),
    [
        ({"messages": [{"type": "error", "message": WHY}]}, None, (WHY,), ()),
        ({"fail_reason": WHY, "messages": [{"message": WHY}]}, None, (WHY,), ()),
        ({}, {"messages": [{"type": "error", "reason": "x", "message": WHY}]}, (WHY,), ()),
        ({}, {"messages": [{"type": "error", "reason": "x"}]}, ("x",), ()),
        ({}, {"messages": []}, (), ("CircleCI lists no steps of it, and gives no reason",)),
        ({}, None, (), ("CircleCI lists no steps of it, and gives no reason",)),
    ],
    ids=["v1.1", "twice", "v2", "a code alone", "nothing said", "v2 unread"],
)
async def test_why_a_job_without_steps_failed_is_read(
    far_side: FarSide, v1: dict[str, Any], v2: object, reasons: tuple[str, ...], problems: tuple[str, ...]
) -> None:
    # C49
    has(far_side, 7, steps={"build_num": 7, "status": "failed", "steps": [], **v1})
    if isinstance(v2, dict):
        far_side.says(f"{V2}/job/7", {"number": 7, "status": "failed", **v2})
    found = await look_at_7(far_side)
    assert (found.reasons, found.problems, found.is_refused) == (reasons, problems, bool(reasons))


async def test_a_step_that_passed_on_its_rerun_is_not_the_failure(far_side: FarSide) -> None:
    # C62
    tried = {"name": "Install dependencies", "index": 0, "has_output": True, "output_url": f"{LOG}-install"}
    steps = [
        step("Install dependencies", tried | {"failed": True, "auto_rerun_number": 0}),
        step("Install dependencies", tried | {"status": "success", "auto_rerun_number": 1}),
        step("Run tests", action(failed=True, exit_code=2, status="failed")),
    ]
    has(far_side, 7, steps={"build_num": 7, "status": "failed", "steps": steps})
    found = await look_at_7(far_side)
    assert found.step
    assert (found.step.name, found.step.exit_code, found.step.lines) == ("Run tests", 2, ("compiling", "FAIL cart"))


async def test_a_passed_build_shows_what_it_stored(far_side: FarSide) -> None:
    hold = job(99, "success", type="approval")
    jobs = [job(number + 1, "success") for number in range(10)]
    for number in range(10):
        has(far_side, number + 1)
    found = await look(far_side, build(hold, *jobs, status="success"))
    assert len(found.artifacts) == 8
    assert found.artifacts_problem == "artifacts of 2 more jobs were not looked up"
    assert len(far_side.requests) == 8


async def test_a_canceled_build_has_nothing_to_report(far_side: FarSide) -> None:
    assert await look(far_side, build(job(7, "canceled"), status="canceled")) == Report()
    assert far_side.requests == []
