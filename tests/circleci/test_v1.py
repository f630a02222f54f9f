"""API v1.1: for both generations what it alone has, and everything for projects set to `api = "classic"`."""

from datetime import UTC, datetime

import httpx
import pytest
from pydantic import SecretStr

from bot.circleci.reads import Reads, circleci_reads, classic_reads
from bot.circleci.v1.shapes import id_of
from bot.circleci.writes import Writes, circleci_writes, classic_writes
from bot.errors import CircleCIError, NotTriggered, Rejected, Unavailable
from bot.models.build import State
from bot.models.circleci import Ref, WorkflowId
from tests.circleci.conftest import FarSide

SLUG = "gh/acme/legacy"
PROJECT = f"/api/v1.1/project/{SLUG}"
LISTED = "limit=30&shallow=true"
SEVEN = id_of(SLUG, 7)


def job_run(number: int, status: str = "success", **more: object) -> dict[str, object]:
    at = "2026-11-20T09:58:00Z"
    return {"build_num": number, "status": status, "branch": "main", "queued_at": at, "stop_time": at, **more}


@pytest.fixture
def circleci(far_side: FarSide) -> Reads:
    return circleci_reads(far_side.transport, classic_reads(far_side.transport, {SLUG}))


@pytest.fixture
def writes(far_side: FarSide) -> Writes:
    return circleci_writes(far_side.transport, classic_writes(far_side.transport, {SLUG}))


async def test_the_caller_is_known_by_login_and_nothing_private_is_kept(far_side: FarSide, circleci: Reads) -> None:
    private = {"login": "ci-bot", "heroku_api_key": "xxxx-0000", "selected_email": "a@b.example"}
    far_side.says("GET /api/v1.1/me", private)
    assert (await circleci.me()).model_dump() == {"id": "", "login": "ci-bot", "name": ""}


async def test_a_build_is_read_with_its_retries_by_two_requests(far_side: FarSide, circleci: Reads) -> None:
    first, again = job_run(7, "failed"), job_run(9, "fixed", retry_of=7)
    far_side.says(f"GET {PROJECT}/7", first)
    far_side.says(f"GET {PROJECT}/tree/main?{LISTED}", [job_run(10), again, job_run(8), first])
    build = await circleci.build(SEVEN)
    assert far_side.calls == [f"GET {PROJECT}/7", f"GET {PROJECT}/tree/main?{LISTED}"]
    assert (build.pipeline.number, build.state, build.read_at) == (
        7,
        State.PASSED,
        datetime(2026, 11, 20, 10, tzinfo=UTC),
    )
    assert [(run.attempt, run.jobs[0].job_number) for run in build.runs] == [(2, 9)]
    assert await circleci.whole(build.pipeline) == build


async def test_its_attempts_are_the_same_chain(far_side: FarSide, circleci: Reads) -> None:
    first, again = job_run(7, "failed"), job_run(9, "fixed", retry_of=7)
    far_side.says(f"GET {PROJECT}/7", first)
    far_side.says(f"GET {PROJECT}/tree/main?{LISTED}", [again, first])
    runs = await circleci.attempts(SEVEN)
    assert [(run.attempt, run.workflow.status) for run in runs] == [(1, "failed"), (2, "success")]
    assert len(far_side.calls) == 2


async def test_retries_are_no_pipelines_of_their_own(far_side: FarSide, circleci: Reads) -> None:
    far_side.says(f"GET {PROJECT}?{LISTED}", [job_run(9, retry_of=7), job_run(8), job_run(7)])
    assert [pipeline.number for pipeline in await circleci.pipelines(SLUG)] == [8, 7]


async def test_the_default_branch_is_that_of_the_followed_project(far_side: FarSide, circleci: Reads) -> None:
    followed = {"username": "acme", "reponame": "legacy", "vcs_type": "github", "default_branch": "trunk"}
    far_side.says("GET /api/v1.1/projects", [followed], [])
    assert (await circleci.project(SLUG)).default_branch == "trunk"
    project = await circleci.project(SLUG)
    assert (project.default_branch, project.title) == ("main", "acme/legacy")


async def test_of_two_code_hosts_the_one_named_counts_and_no_case_does(far_side: FarSide, circleci: Reads) -> None:
    legacy = {"username": "acme", "reponame": "legacy", "default_branch": "trunk"}
    both = [{**legacy, "vcs_type": "bitbucket", "default_branch": "develop"}, {**legacy, "vcs_type": "github"}]
    far_side.says("GET /api/v1.1/projects", both, both, both[:1])
    for spelled in (SLUG, "github/Acme/Legacy"):
        project = await circleci.project(spelled)
        assert (project.slug, project.default_branch) == (SLUG, "trunk")
    assert (await circleci.project(SLUG)).default_branch == "main"  # of a project that nobody follows


async def test_tests_of_both_generations_come_without_secrets(far_side: FarSide, circleci: Reads) -> None:
    result = {
        "name": "logs in",
        "result": "failure",
        "message": "token ghp_0123456789abcdefghij0123456789abcdef was bad",
    }
    far_side.says(f"GET {PROJECT}/7/tests", {"tests": [result]})
    far_side.says("GET /api/v2/project/gh/acme/frontend/7/tests", {"items": [result], "next_page_token": None})
    for slug in (SLUG, "gh/acme/frontend"):
        assert [test.message for test in (await circleci.some_tests(slug, 7, 5))[0]] == ["token [masked] was bad"]


async def test_a_cut_document_with_an_error_behind_it_is_no_result(far_side: FarSide, circleci: Reads) -> None:
    # C15
    body = '{"tests":[{"name":"a","result":"success"},{"name":"b","result":"fail\n{"message":"Internal server error."}'
    answer = httpx.Response(200, text=body, headers={"content-type": "application/json"})
    far_side.says(f"GET {PROJECT}/7/tests", answer)
    with pytest.raises(Unavailable, match="cannot be read"):
        await circleci.some_tests(SLUG, 7, 5)


async def test_what_should_be_a_list_and_is_none_is_empty(far_side: FarSide, circleci: Reads, writes: Writes) -> None:
    far_side.says("GET /api/v1.1/projects", {"message": "…"})
    far_side.says(f"GET {PROJECT}/7/tests", None)
    far_side.says(f"DELETE {PROJECT}/build-cache", [])
    assert await circleci.followed_projects() == ()
    assert (await circleci.some_tests(SLUG, 7, 5))[0] == ()
    assert await writes.clear_cache(SLUG) == ""


@pytest.mark.parametrize(
    ("ref", "path", "more"), [(Ref(name="main"), "/tree/main", {}), (Ref(name="v2", kind="tag"), "", {"tag": "v2"})]
)
async def test_parameters_become_environment_variables(
    far_side: FarSide, writes: Writes, ref: Ref, path: str, more: dict[str, str]
) -> None:
    far_side.says(f"POST {PROJECT}{path}", job_run(8))
    assert (await writes.trigger(SLUG, ref, {"n": 3})).id == id_of(SLUG, 8)
    assert far_side.body() == {"build_parameters": {"n": "3"}, **more}


async def test_a_build_is_cancelled_and_retried_where_circleci_wants_it(far_side: FarSide, writes: Writes) -> None:
    for verb in ("cancel", "retry", "ssh"):
        far_side.says(f"POST {PROJECT}/7/{verb}", job_run(9))
    await writes.cancel_workflow(WorkflowId(SEVEN))
    await writes.cancel_job_number(SLUG, 7)
    assert await writes.rerun_workflow(WorkflowId(SEVEN), from_failed=True) == WorkflowId(id_of(SLUG, 9))
    await writes.rerun_jobs(WorkflowId(SEVEN), (), ssh=True)
    assert [call.rpartition("/")[2] for call in far_side.calls] == ["cancel", "cancel", "retry", "ssh"]


async def test_a_build_that_will_never_run_is_not_taken_for_a_started_one(far_side: FarSide, writes: Writes) -> None:
    never = {"build_num": 8, "status": "not_run", "dont_build": "1.0-not-available", "lifecycle": "scheduled"}
    far_side.says(f"POST {PROJECT}/7/retry", never)
    with pytest.raises(NotTriggered, match=r"1\.0-not-available"):
        await writes.rerun_workflow(WorkflowId(SEVEN), from_failed=False)


async def test_what_api_v1_1_has_not_is_refused_without_asking(
    far_side: FarSide, circleci: Reads, writes: Writes
) -> None:
    with pytest.raises(NotTriggered):
        await writes.run_pipeline(SLUG, "d-1", Ref(name="main"))
    with pytest.raises(CircleCIError):
        await writes.approve(WorkflowId(SEVEN), "a-1")
    assert await circleci.flaky_tests(SLUG) == ()
    assert far_side.calls == []


@pytest.mark.parametrize("said", ["bad value hunter2", "bad value unter2-lo…", "the name is taken"])
async def test_a_refusal_never_quotes_the_secret(far_side: FarSide, writes: Writes, said: str) -> None:
    far_side.says("POST /api/v1.1/project/gh/acme/frontend/envvar", httpx.Response(400, json={"message": said}))
    with pytest.raises(Rejected) as caught:
        await writes.set_variable("gh/acme/frontend", "NAME", SecretStr("hunter2-long"))
    assert "unter2" not in str(caught.value)
    assert ("taken" in str(caught.value)) == ("taken" in said)
