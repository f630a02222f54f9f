from datetime import UTC, datetime, timedelta

import httpx
import pytest

from bot.circleci.reads import Reads, circleci_reads
from bot.circleci.v2.reads import V2Builds
from bot.circleci.writes import Writes, circleci_writes
from bot.errors import CircleCIError, NotTriggered, RateLimited, Rejected, Unauthorized, Unavailable
from bot.models.build import State
from bot.models.circleci import PipelineId, Ref, WorkflowId
from tests.circleci.conftest import DATE, HEADERS, FarSide, page

PROJECT = "/api/v2/project/gh/acme/frontend"
PIPELINE = "/api/v2/pipeline/p-1"
WORKFLOWS = f"GET {PIPELINE}/workflow"
STARTED = {"id": "p-9", "number": 2418, "state": "pending", "created_at": "2026-11-20T10:00:00Z"}


def pipeline(
    number: int = 2417, state: str = "created", branch: str | None = "main", **more: object
) -> dict[str, object]:
    vcs = {"branch": branch, "revision": "9f1c2d7"} if branch else {"tag": "v2.0"}
    base = {"id": "p-1", "number": number, "project_slug": "gh/acme/frontend", "state": state, "vcs": vcs}
    return {**base, "created_at": "2026-11-20T09:58:00Z", "errors": [], **more}


def workflow(
    id_: str, name: str = "build", status: str = "running", minute: int = 0, **more: object
) -> dict[str, object]:
    return {"id": id_, "name": name, "status": status, "created_at": f"2026-11-20T09:{minute:02}:00Z", **more}


def job(name: str, status: str = "running", number: int | None = None) -> dict[str, object]:
    return {"id": f"id-{name}", "name": name, "status": status, **({"job_number": number} if number else {})}


@pytest.fixture
def circleci(far_side: FarSide) -> Reads:
    return circleci_reads(far_side.transport)


@pytest.fixture
def writes(far_side: FarSide) -> Writes:
    return circleci_writes(far_side.transport)


async def test_pipelines_of_a_branch_with_a_hash_are_asked_for_whole(far_side: FarSide, circleci: Reads) -> None:
    far_side.says(f"GET {PROJECT}/pipeline?branch=fix%2F%231234-some-fix", page(pipeline(3), pipeline(2), token="more"))
    assert [found.number for found in await circleci.pipelines("gh/acme/frontend", "fix/#1234-some-fix")] == [3, 2]
    assert len(far_side.requests) == 1


def of_fork(number: int, branch: str = "main", review: str = "13") -> dict[str, object]:
    urls = {
        f"{end}_repository_url": f"https://github.com/{owner}/f" for end, owner in (("origin", "eve"), ("target", "us"))
    }
    return pipeline(number, id=f"fork-{number}", vcs={"branch": branch, "review_id": review, **urls})


async def test_builds_of_forks_are_no_builds_of_the_branch_that_is_called_the_same(
    far_side: FarSide, circleci: Reads
) -> None:
    far_side.says(f"GET {PROJECT}/pipeline?branch=main", page(of_fork(4), pipeline(3)))
    assert [found.number for found in await circleci.pipelines("gh/acme/frontend", "main")] == [3]


async def test_many_builds_of_a_fork_hide_no_branch(far_side: FarSide, circleci: Reads) -> None:
    first, second = page(of_fork(5), of_fork(4), token="more"), page(pipeline(3))
    far_side.says(f"GET {PROJECT}/pipeline?branch=main", first)
    far_side.says(f"GET {PROJECT}/pipeline?branch=main&page-token=more", second)
    assert [found.number for found in await circleci.pipelines("gh/acme/frontend", "main")] == [3]


async def test_a_pull_request_is_found_under_whatever_name_its_fork_gives_the_branch(
    far_side: FarSide, circleci: Reads
) -> None:
    far_side.says(f"GET {PROJECT}/pipeline?branch=pull%2F13%2Fhead", page(of_fork(4, "pull/13/head")))
    others = page(of_fork(7, "main", "14"), of_fork(6), pipeline(5), of_fork(4, "pull/13/head"))
    far_side.says(f"GET {PROJECT}/pipeline", others)
    found = await circleci.pipelines("gh/acme/frontend", "pull/13/head")
    assert [one.number for one in found] == [6, 4]


async def test_no_build_of_a_fork_supersedes_one_of_ours(far_side: FarSide, circleci: Reads) -> None:
    far_side.says(WORKFLOWS, page(workflow("w-1", status="canceled")))
    far_side.says(f"GET {PIPELINE}", pipeline())
    far_side.says(f"GET {PROJECT}/pipeline?branch=main", page(of_fork(2419), pipeline()))
    far_side.says("GET /api/v2/workflow/w-1/job", page())
    assert await circleci.newer_pipeline(await circleci.build(PipelineId("p-1"))) is None


async def test_single_things_are_read(far_side: FarSide, circleci: Reads) -> None:
    far_side.says("GET /api/v1.1/me", {"id": "u", "login": "ci-bot", "name": "CI"})
    far_side.says(
        f"GET {PROJECT}", {"id": "x", "slug": "gh/acme/frontend", "name": "frontend", "organization_name": "acme"}
    )
    far_side.says("GET /api/v2/projects/x/pipeline-definitions", page({"id": "d-1", "name": "deploy"}))
    far_side.says(f"GET {PROJECT}/pipeline/mine", page(pipeline(5)))
    far_side.says(f"GET {PROJECT}/pipeline/2417", pipeline())
    far_side.says(f"GET {PIPELINE}", pipeline())
    far_side.says(WORKFLOWS, page(workflow("w-1")))
    far_side.says(
        f"GET {PROJECT}/job/7", {"number": 7, "name": "test", "parallel_runs": [{"index": 0, "status": "failed"}]}
    )
    assert (await circleci.me()).login == "ci-bot"
    assert (await circleci.project("gh/acme/frontend")).title == "acme/frontend"
    assert (await circleci.definitions("x"))[0].name == "deploy"
    assert (await circleci.my_pipelines("gh/acme/frontend"))[0].number == 5
    assert (await circleci.pipeline_by_number("gh/acme/frontend", 2417)).ref == Ref(name="main")
    assert (await circleci.pipeline(PipelineId("p-1"))).number == 2417
    assert (await V2Builds(far_side.transport).workflows(PipelineId("p-1")))[0][0].id == "w-1"
    assert (await circleci.job("gh/acme/frontend", 7)).parallel_runs[0].status == "failed"


@pytest.mark.parametrize(
    ("ref", "parameters", "body"),
    [
        (Ref(name="fix/#1234-some-fix"), None, {"branch": "fix/#1234-some-fix"}),
        (Ref(name="v2.0", kind="tag"), {}, {"tag": "v2.0"}),
        (
            Ref(name="main"),
            {"n": 3, "dry": True, "env": "prod"},
            {"branch": "main", "parameters": {"n": 3, "dry": True, "env": "prod"}},
        ),
    ],
    ids=["branch", "tag", "parameters"],
)
async def test_a_trigger_sends_the_ref_as_typed(
    far_side: FarSide, writes: Writes, ref: Ref, parameters: dict[str, str | int | bool] | None, body: object
) -> None:
    far_side.says(f"POST {PROJECT}/pipeline", httpx.Response(201, json=STARTED))
    assert (await writes.trigger("gh/acme/frontend", ref, parameters)).number == 2418
    assert far_side.body() == body


async def test_a_definition_runs_with_configuration_and_code_of_the_ref(far_side: FarSide, writes: Writes) -> None:
    far_side.says("POST /api/v2/project/circleci/Org1/Proj2/pipeline/run", httpx.Response(201, json=STARTED))
    await writes.run_pipeline("circleci/Org1/Proj2", "d-1", Ref(name="v2", kind="tag"), {"env": "prod"})
    where = {"tag": "v2"}
    assert far_side.body() == {
        "definition_id": "d-1",
        "config": where,
        "checkout": where,
        "parameters": {"env": "prod"},
    }


async def test_a_success_with_only_a_message_started_nothing(far_side: FarSide, writes: Writes) -> None:
    far_side.says(f"POST {PROJECT}/pipeline/run", httpx.Response(200, json={"message": "skip ci"}))
    far_side.says(f"POST {PROJECT}/pipeline", httpx.Response(201, json=[]))
    with pytest.raises(NotTriggered, match="skip ci"):
        await writes.run_pipeline("gh/acme/frontend", "d-1", Ref(name="main"))
    with pytest.raises(Unavailable):
        await writes.trigger("gh/acme/frontend", Ref(name="main"))


async def test_a_trigger_that_timed_out_is_not_sent_twice(far_side: FarSide, writes: Writes) -> None:
    far_side.says(f"POST {PROJECT}/pipeline", httpx.ReadTimeout(""))
    with pytest.raises(Unavailable) as caught:
        await writes.trigger("gh/acme/frontend", Ref(name="main"))
    assert (caught.value.arrived, len(far_side.requests)) == (True, 1)


async def test_acts_are_posted_where_circleci_wants_them(far_side: FarSide, writes: Writes) -> None:
    for path in ("workflow/w-1/cancel", "project/gh/acme/frontend/job/7/cancel", "workflow/w-1/approve/a-1"):
        far_side.says(f"POST /api/v2/{path}", httpx.Response(202, json={"message": "Accepted."}))
    await writes.cancel_workflow(WorkflowId("w-1"))
    await writes.cancel_job_number("gh/acme/frontend", 7)
    await writes.approve(WorkflowId("w-1"), "a-1")
    assert len(far_side.calls) == 3


async def test_a_rerun_may_not_say_what_it_started(far_side: FarSide, writes: Writes) -> None:
    told, untold = {"workflow_id": "w-2"}, {"message": "Accepted."}
    replies = [httpx.Response(202, json=told), httpx.Response(202, json=untold), httpx.Response(202, json=[])]
    far_side.says("POST /api/v2/workflow/w-1/rerun", *replies)
    assert await writes.rerun_workflow(WorkflowId("w-1"), from_failed=True) == "w-2"
    assert far_side.body() == {"from_failed": True}
    assert await writes.rerun_workflow(WorkflowId("w-1"), from_failed=False) is None
    assert far_side.body() == {}
    assert await writes.rerun_workflow(WorkflowId("w-1"), from_failed=False) is None


async def test_a_young_pipeline_has_no_list_of_workflows_yet(far_side: FarSide, circleci: Reads) -> None:
    far_side.says(f"GET {PIPELINE}", pipeline(state="pending"))
    build = await circleci.build(PipelineId("p-1"))
    assert (build.state, build.runs, build.read_at) == (State.WAITING, (), DATE)
    again = await circleci.build(PipelineId("p-1"), build)
    assert again == build


async def test_a_pipeline_that_was_just_read_is_not_read_again(far_side: FarSide, circleci: Reads) -> None:
    far_side.says(f"GET {PIPELINE}", pipeline())
    found = await circleci.pipeline(PipelineId("p-1"))
    young = await circleci.whole(found)  # the time comes from where it can be had
    assert (young.runs, young.read_at, far_side.calls[-2:]) == ((), DATE, [WORKFLOWS, f"GET {PIPELINE}"])
    far_side.says(WORKFLOWS, page(workflow("w-1")))
    far_side.says("GET /api/v2/workflow/w-1/job", page(job("test")))
    assert await circleci.whole(found) == await circleci.build(PipelineId("p-1"))
    assert far_side.calls[3:5] == [WORKFLOWS, "GET /api/v2/workflow/w-1/job"]


async def test_a_list_that_disappears_later_is_no_empty_one(far_side: FarSide, circleci: Reads) -> None:
    far_side.says(f"GET {PIPELINE}", pipeline())
    far_side.says(WORKFLOWS, page(workflow("w-1")), httpx.Response(404, json={"message": "Not Found"}))
    far_side.says("GET /api/v2/workflow/w-1/job", page())
    build = await circleci.build(PipelineId("p-1"))
    with pytest.raises(Rejected):
        await circleci.build(PipelineId("p-1"), build)


async def test_a_poll_costs_a_request_for_each_unfinished_workflow_and_the_list_where_that_is_not_all(
    far_side: FarSide, circleci: Reads
) -> None:
    far_side.says(f"GET {PIPELINE}", pipeline())
    running, done = workflow("w-1", "build"), workflow("w-2", "lint", "success")
    far_side.says(WORKFLOWS, page(done, running), page(done, workflow("w-1", "build", "failed")))
    far_side.says("GET /api/v2/workflow/w-1/job", page(job("test")), page(job("test")), page(job("test", "failed", 7)))
    far_side.says("GET /api/v2/workflow/w-2/job", page(job("lint", "success", 6)))
    first = await circleci.build(PipelineId("p-1"))
    assert len(far_side.calls) == 4
    second = await circleci.build(PipelineId("p-1"), first)
    assert far_side.calls[4:] == ["GET /api/v2/workflow/w-1/job"]
    third = await circleci.build(PipelineId("p-1"), second)
    assert far_side.calls[5:] == ["GET /api/v2/workflow/w-1/job", WORKFLOWS]
    assert [found.status for run in third.runs for found in run.jobs] == ["success", "failed"]
    fourth = await circleci.build(PipelineId("p-1"), third)
    assert far_side.calls[7:] == [WORKFLOWS]
    assert (fourth, fourth.state) == (third, State.FAILED)


async def test_jobs_read_before_the_end_are_read_once_more_after_it(far_side: FarSide, circleci: Reads) -> None:
    far_side.says(f"GET {PIPELINE}", pipeline())
    far_side.says(WORKFLOWS, page(workflow("w-1")), page(workflow("w-1", status="canceled")))
    begun = page(job("test"), job("deploy", "blocked"))
    between = page(job("test", "success", 7), job("deploy", "blocked"))
    ended = page(job("test", "success", 7), job("deploy", "canceled"))
    far_side.says("GET /api/v2/workflow/w-1/job", begun, between, ended)
    first = await circleci.build(PipelineId("p-1"))
    second = await circleci.build(PipelineId("p-1"), first)
    assert [found.status for found in second.runs[0].jobs] == ["success", "canceled"]


async def test_of_a_pipeline_that_has_just_begun_no_workflows_are_asked_for(far_side: FarSide, circleci: Reads) -> None:
    began = {**pipeline(state="pending"), "created_at": (DATE - timedelta(seconds=1)).isoformat()}
    far_side.says(f"GET {PIPELINE}", began)
    build = await circleci.build(PipelineId("p-1"))
    assert (build.state, build.runs, far_side.calls) == (State.WAITING, (), [f"GET {PIPELINE}"])
    await circleci.build(PipelineId("p-1"), build)
    assert far_side.calls[1:] == [f"GET {PIPELINE}", WORKFLOWS]


async def test_the_newest_run_of_each_name_counts_and_setup_is_no_attempt(far_side: FarSide, circleci: Reads) -> None:
    far_side.says(f"GET {PIPELINE}", pipeline())
    rerun, first = workflow("w-3", "build", minute=30), workflow("w-2", "build", "failed", minute=10)
    setup = workflow("w-1", "build", "success", minute=5, tag="setup")
    far_side.says(WORKFLOWS, page(rerun, token="t"))
    far_side.says(f"{WORKFLOWS}?page-token=t", page(first, setup))
    for number in (1, 3):
        far_side.says(f"GET /api/v2/workflow/w-{number}/job", page(job(f"j{number}")))
    build = await circleci.build(PipelineId("p-1"))
    assert [(run.workflow.id, run.attempt) for run in build.runs] == [("w-1", 1), ("w-3", 2)]
    assert [run.jobs[0].name for run in build.runs] == ["j1", "j3"]
    assert "GET /api/v2/workflow/w-2/job" not in far_side.calls


async def test_one_failing_job_list_fails_the_poll_as_itself(far_side: FarSide, circleci: Reads) -> None:
    far_side.says(f"GET {PIPELINE}", pipeline())
    far_side.says(WORKFLOWS, page(workflow("w-1", "a"), workflow("w-2", "b")))
    far_side.says("GET /api/v2/workflow/w-1/job", page())
    far_side.says("GET /api/v2/workflow/w-2/job", httpx.Response(500))
    with pytest.raises(Unavailable):
        await circleci.build(PipelineId("p-1"))


@pytest.mark.parametrize("branch", ["main", None], ids=["branch", "tag"])
async def test_a_newer_pipeline_on_the_branch_is_found(far_side: FarSide, circleci: Reads, branch: str | None) -> None:
    far_side.says(f"GET {PIPELINE}", pipeline(branch=branch))
    build = await circleci.build(PipelineId("p-1"))
    far_side.says(f"GET {PROJECT}/pipeline?branch=main", page(pipeline(2416), pipeline(2420), pipeline(2418)))
    newer = await circleci.newer_pipeline(build)
    assert (newer and newer.number) == (2420 if branch else None)


async def test_what_superseded_a_build_is_remembered_until_it_runs_again(far_side: FarSide, circleci: Reads) -> None:
    canceled, rerun = workflow("w-1", status="canceled"), workflow("w-2", status="canceled", minute=9)
    far_side.says(f"GET {PIPELINE}", pipeline())
    far_side.says(WORKFLOWS, page(canceled), page(canceled), page(rerun, canceled))
    far_side.says("GET /api/v2/workflow/w-1/job", page(job("a", "canceled")))
    far_side.says("GET /api/v2/workflow/w-2/job", page(job("a", "canceled")))
    build = (await circleci.build(PipelineId("p-1"))).model_copy(
        update={"superseded_by": 2418, "superseded_by_id": "x"}
    )
    build = await circleci.build(PipelineId("p-1"), build)
    assert build.state is State.SUPERSEDED
    assert (await circleci.build(PipelineId("p-1"), build)).state is State.CANCELED


async def test_pages_are_read_to_the_end_and_no_further_than_allowed(far_side: FarSide, circleci: Reads) -> None:
    tests = f"GET {PROJECT}/7/tests"
    far_side.says(tests, page({"name": "a"}, token="t 1/=+"))
    far_side.says(f"{tests}?page-token=t+1%2F%3D%2B", page({"name": "b"}, token="t2"))
    far_side.says(f"{tests}?page-token=t2", page({"name": "c", "result": None}))
    assert [test.name for test in (await circleci.some_tests("gh/acme/frontend", 7, 5))[0]] == ["a", "b", "c"]
    assert len((await circleci.some_tests("gh/acme/frontend", 7, 2))[0]) == 2


async def test_a_page_token_that_repeats_ends_the_list(far_side: FarSide, circleci: Reads) -> None:
    far_side.says(f"GET {PROJECT}/7/artifacts", page({"path": "a"}, token="t"))
    far_side.says(f"GET {PROJECT}/7/artifacts?page-token=t", page({"path": "b"}, token="t"))
    assert [one.path for one in (await circleci.some_artifacts("gh/acme/frontend", 7, 5))[0]] == ["a", "b"]
    assert len(far_side.requests) == 2


async def test_what_a_list_repeats_counts_once(far_side: FarSide, circleci: Reads) -> None:
    # C50: pages that are the same again, whatever their token, and pages that overlap
    far_side.says(f"GET {PIPELINE}", pipeline())
    far_side.says(WORKFLOWS, page(workflow("w-1"), token="SAME"))
    far_side.says(f"{WORKFLOWS}?page-token=SAME", page(workflow("w-1"), token="SAME"))
    jobs = "GET /api/v2/workflow/w-1/job"
    far_side.says(jobs, page(job("a"), job("b"), token="1"))
    far_side.says(f"{jobs}?page-token=1", page(job("b"), job("c"), token="2"))
    far_side.says(f"{jobs}?page-token=2", page(job("b"), job("c"), token="3"))
    build = await circleci.build(PipelineId("p-1"))
    assert [(run.attempt, [one.name for one in run.jobs]) for run in build.runs] == [(1, ["a", "b", "c"])]
    test, twin = {"name": "a", "result": "failure"}, {"path": "a", "url": "https://x/0/a"}
    other = twin | {"url": "https://x/1/a", "node_index": 1}
    for what, items in (("tests", [test, test]), ("artifacts", [twin, other])):
        far_side.says(f"GET {PROJECT}/7/{what}", page(*items, token="SAME"))
        far_side.says(f"GET {PROJECT}/7/{what}?page-token=SAME", page(*items, token="SAME"))
    assert len((await circleci.some_tests("gh/acme/frontend", 7, 5))[0]) == 2  # one page may hold two of one name
    assert len((await circleci.some_artifacts("gh/acme/frontend", 7, 5))[0]) == 2


async def test_errors_behind_a_setup_workflow_are_seen(far_side: FarSide, circleci: Reads) -> None:
    # C47: the state stays `created`, and the errors come later
    error = {"type": "config", "message": "no job named no-such-job"}
    far_side.says(f"GET {PIPELINE}", pipeline(), pipeline(), pipeline(errors=[error]))
    setup = workflow("w-1", "setup", tag="setup")
    over = setup | {"status": "success", "stopped_at": "2026-11-20T09:59:00Z"}
    far_side.says(WORKFLOWS, page(setup), page(over))
    far_side.says("GET /api/v2/workflow/w-1/job", page(job("generate")))
    build, states = None, []
    for _ in range(3):
        build = await circleci.build(PipelineId("p-1"), build)
        states.append(build.state)
    assert states == [State.RUNNING, State.WAITING, State.COULD_NOT_RUN]


async def test_a_token_that_circleci_forgot_ends_a_long_list_that_says_so(far_side: FarSide, circleci: Reads) -> None:
    far_side.says(f"GET {PROJECT}/pipeline", page(pipeline(3), token="t"))
    far_side.says(f"GET {PROJECT}/7/tests", page({"name": "a"}, token="t"))
    assert [one.number for one in await circleci.pipelines("gh/acme/frontend", pages=3)] == [3]
    tests, more = await circleci.some_tests("gh/acme/frontend", 7, 5)
    assert ([test.name for test in tests], more) == (["a"], True)


@pytest.mark.parametrize(
    ("second", "kind"),
    [
        (httpx.Response(401, json={"message": "You must log in first."}), Unauthorized),
        (httpx.Response(403, json={"message": "Permission denied"}), Rejected),
        (httpx.Response(404), Unavailable),
        (httpx.Response(429, headers={"Retry-After": "60"}), RateLimited),
    ],
    ids=["401", "403", "404", "429"],
)
async def test_a_refused_second_page_is_no_shorter_list(
    far_side: FarSide, circleci: Reads, second: httpx.Response, kind: type[CircleCIError]
) -> None:
    far_side.says(f"GET {PIPELINE}", pipeline())
    far_side.says(WORKFLOWS, page(workflow("w-1", "lint", "success"), token="t"))
    far_side.says(f"{WORKFLOWS}?page-token=t", second)
    far_side.says(f"GET {PROJECT}/7/artifacts", page({"path": "a"}, token="t"))
    far_side.says(f"GET {PROJECT}/7/artifacts?page-token=t", second)
    with pytest.raises(kind):  # nobody knows what stood on the second page
        await circleci.build(PipelineId("p-1"))
    with pytest.raises(kind):
        await circleci.some_artifacts("gh/acme/frontend", 7, 5)


@pytest.mark.parametrize("status", [403, 429])
async def test_long_lists_too_end_only_at_a_token_that_circleci_forgot(
    far_side: FarSide, circleci: Reads, status: int
) -> None:
    second = httpx.Response(status, headers={"Retry-After": "60"})
    for path in ("pipeline", "7/tests"):
        far_side.says(f"GET {PROJECT}/{path}", page(token="t"))
        far_side.says(f"GET {PROJECT}/{path}?page-token=t", second)
    with pytest.raises(CircleCIError):
        await circleci.pipelines("gh/acme/frontend", pages=2)
    with pytest.raises(CircleCIError):
        await circleci.some_tests("gh/acme/frontend", 7, 5)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        pytest.param(httpx.Response(404, json={"message": "Job not found."}), Rejected, id="404"),
        pytest.param({"message": "…"}, Unavailable, id="only a message"),
        pytest.param({"items": None, "next_page_token": None}, Unavailable, id="items null"),
        pytest.param([], Unavailable, id="no object"),
        pytest.param(page({"node_index": "first"}), Unavailable, id="a strange item"),
    ],
)
async def test_what_is_no_list_of_artifacts_says_so(
    far_side: FarSide, circleci: Reads, reply: object, kind: type[CircleCIError]
) -> None:
    far_side.says(f"GET {PROJECT}/7/artifacts", reply)
    with pytest.raises(kind):
        await circleci.some_artifacts("gh/acme/frontend", 7, 5)


async def test_ages_come_from_circlecis_clock(far_side: FarSide, circleci: Reads) -> None:
    far_side.says(f"GET {PIPELINE}", pipeline())
    late = {**HEADERS, "Date": "Fri, 20 Nov 2026 10:03:00 GMT"}
    far_side.says(WORKFLOWS, httpx.Response(200, json=page(), headers=late))
    build = await circleci.build(PipelineId("p-1"))
    assert build.read_at == datetime(2026, 11, 20, 10, 3, tzinfo=UTC)
    assert build.elapsed == timedelta(minutes=5)


@pytest.mark.parametrize(
    "answer", [httpx.Response(404, json={"message": "Job not found."}), {"message": "…"}, {"items": None}]
)
async def test_an_object_with_only_a_message_is_no_list_of_artifacts(
    far_side: FarSide, circleci: Reads, answer: object
) -> None:
    # C17
    far_side.says("GET /api/v2/project/gh/acme/frontend/53826/artifacts", answer)
    with pytest.raises(CircleCIError):
        await circleci.some_artifacts("gh/acme/frontend", 53826, 5)
