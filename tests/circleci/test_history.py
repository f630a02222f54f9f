"""The past of a branch: read once, what cannot be read is counted, what never changes is kept."""

import asyncio
import gc
from datetime import timedelta

import httpx
import pytest

from bot.circleci.history import History
from bot.circleci.reads import circleci_reads
from bot.errors import CircleCIError
from bot.models.circleci import ProjectSlug
from bot.models.history import Lane
from bot.store import Store
from tests.circleci.conftest import DATE, FarSide, page

SLUG = ProjectSlug("gh/acme/frontend")
V2 = "GET /api/v2"
PROJECT = f"{V2}/project/{SLUG}"
RED = {"name": "adds", "classname": "Cart", "result": "failure", "message": "no", "run_time": 1}
GREEN = {"name": "empty", "classname": "Cart", "result": "success", "run_time": 1}


def has(far_side: FarSide, *numbers: int) -> None:
    """Let main have been built under these pipeline numbers, odd ones red, with a rerun each."""
    created = DATE.isoformat()
    pipelines = [
        {"id": f"p{number}", "number": number, "project_slug": SLUG, "state": "created", "created_at": created}
        for number in numbers
    ]
    far_side.says(f"{PROJECT}/pipeline?branch=main", page(*pipelines))
    for number in numbers:
        status = "failed" if number % 2 else "success"
        workflow = {"id": f"w{number}", "name": "build", "status": status, "created_at": created, "stopped_at": created}
        job = {"id": f"j{number}", "name": "test", "status": status, "job_number": number}
        far_side.says(f"{V2}/pipeline/p{number}/workflow", page(workflow))
        far_side.says(f"{V2}/workflow/w{number}/job", page(job))
        far_side.says(f"{PROJECT}/{number}/tests", page(*([RED, GREEN] if number % 2 else [GREEN])))


def history(far_side: FarSide, store: Store) -> History:
    return History(circleci_reads(far_side.transport), store.past)


async def test_a_second_reading_asks_only_whether_builds_were_rerun(far_side: FarSide, store: Store) -> None:
    has(far_side, 9, 8, 7)
    past = history(far_side, store)
    builds = await past.builds(SLUG, "main", 3)
    assert [build.pipeline.number for build in builds] == [9, 8, 7]
    tested = await past.tests(SLUG, builds)
    assert {number: len(one.failed) for number, one in tested.results.items()} == {9: 1, 8: 0, 7: 1}
    assert len(far_side.requests) == 1 + 3 + 3 + 3
    far_side.requests.clear()
    again = await past.builds(SLUG, "main", 3)
    assert again == builds
    assert await past.tests(SLUG, again) == tested
    assert sorted(far_side.calls) == sorted(
        [f"{PROJECT}/pipeline?branch=main", *(f"{V2}/pipeline/p{number}/workflow" for number in (9, 8, 7))]
    )


async def test_results_that_an_earlier_version_kept_under_other_names_are_read_again(
    far_side: FarSide, store: Store
) -> None:
    has(far_side, 9)
    past = history(far_side, store)
    builds = await past.builds(SLUG, "main", 1)
    fresh = await past.tests(SLUG, builds)
    await store.past.save_job_results(SLUG, 9, fresh.results[9].model_copy(update={"edition": 1, "passed": " old "}))
    assert await past.tests(SLUG, builds) == fresh
    assert await past.tests(SLUG, builds) == fresh
    assert far_side.calls.count(f"{PROJECT}/9/tests") == 2


def rerun(far_side: FarSide, number: int, status: str) -> None:
    """Let a build have been run once more, on its page, and have ended so."""
    created, before = DATE.isoformat(), "failed" if number % 2 else "success"
    runs = [
        {"id": id_, "name": "build", "status": ended, "created_at": at, "stopped_at": at}
        for id_, ended, at in (
            (f"w{number}", before, created),
            (f"again{number}", status, created.replace("10:00", "11:00")),
        )
    ]
    far_side.says(f"{V2}/pipeline/p{number}/workflow", page(*reversed(runs)))
    job = {"id": f"again{number}", "name": "test", "status": status, "job_number": 10 * number}
    far_side.says(f"{V2}/workflow/again{number}/job", page(job))


@pytest.mark.parametrize(("number", "status"), [(8, "failed"), (9, "success"), (8, "success"), (9, "failed")])
async def test_a_build_that_was_rerun_is_what_became_of_it(
    far_side: FarSide, store: Store, number: int, status: str
) -> None:
    has(far_side, number)
    past = history(far_side, store)
    assert [one.is_red for one in await past.builds(SLUG, "main", 1)] == [number == 9]
    rerun(far_side, number, status)
    builds = await past.builds(SLUG, "main", 1)
    assert [(one.is_red, one.is_green) for one in builds] == [(status == "failed", status == "success")]
    assert [job.job_number for job in builds[0].jobs] == [number, 10 * number]


@pytest.mark.parametrize("status", [404, 503])
async def test_a_rerun_whose_jobs_cannot_be_read_counts_and_is_read_again(
    far_side: FarSide, store: Store, status: int
) -> None:
    has(far_side, 8)
    past = history(far_side, store)
    await past.builds(SLUG, "main", 1)
    rerun(far_side, 8, "failed")
    read = page({"id": "j", "name": "test", "status": "failed", "job_number": 80})
    tries = 3 if status == 503 else 1  # an outage is tried again
    far_side.says(f"{V2}/workflow/again8/job", *[httpx.Response(status)] * tries, read)
    assert [one.is_red for one in await past.builds(SLUG, "main", 1)] == [True]
    again = await past.builds(SLUG, "main", 1)
    assert [run.jobs_unread for run in again[0].runs] == [False, False]


async def test_a_build_that_circleci_forgot_is_what_it_was(far_side: FarSide, store: Store) -> None:
    has(far_side, 9, 8)
    past = history(far_side, store)
    builds = await past.builds(SLUG, "main", 2)
    for number in (9, 8):
        far_side.says(f"{V2}/pipeline/p{number}/workflow", httpx.Response(404))
    assert await past.builds(SLUG, "main", 2) == builds


async def test_what_is_cut_off_before_its_turn_has_not_begun(far_side: FarSide, store: Store) -> None:
    has(far_side, *range(40))
    past = history(far_side, store)
    builds = await past.builds(SLUG, "main", 40)
    asked = len(far_side.requests)
    reading = asyncio.create_task(past.tests(SLUG, builds))
    while len(far_side.requests) == asked:  # noqa: ASYNC110  # nobody tells when a request goes out
        await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert len(far_side.requests) < asked + 40
    gc.collect()  # a read that had begun and was never awaited would fail this test


async def test_builds_that_run_or_cannot_be_read_are_left_out(far_side: FarSide, store: Store) -> None:
    has(far_side, 9, 8, 7, 6)
    running = {"id": "w9", "name": "build", "status": "running", "created_at": DATE.isoformat()}
    far_side.says(f"{V2}/pipeline/p9/workflow", page(running))
    far_side.says(f"{V2}/pipeline/p8/workflow", httpx.Response(503))
    far_side.says(f"{PROJECT}/7/tests", httpx.Response(200, text='{"items": [{'))
    far_side.says(f"{PROJECT}/6/tests", httpx.Response(404, json={"message": "Not Found"}))
    past = history(far_side, store)
    builds = await past.builds(SLUG, "main", 10)
    assert [build.pipeline.number for build in builds] == [7, 6]
    tested = await past.tests(SLUG, builds)
    assert (tested.unread, list(tested.results), tested.results[6].total) == (1, [6], 0)
    assert [one.pipeline.number for one in await past.builds(SLUG, "main", 1, before=7)] == [6]
    far_side.says(f"{PROJECT}/6/tests", page(GREEN))
    assert (await past.tests(SLUG, builds)).results[6].total == 1


async def test_a_branch_that_cannot_be_listed_raises(far_side: FarSide, store: Store) -> None:
    far_side.says(f"{PROJECT}/pipeline?branch=main", httpx.Response(503))
    with pytest.raises(CircleCIError):
        await history(far_side, store).builds(SLUG, "main", 3)


async def test_only_failed_runs_are_read_of_jobs_that_failed_without_tests(far_side: FarSide, store: Store) -> None:
    has(far_side, 9, 8)
    past = history(far_side, store)
    builds = await past.builds(SLUG, "main", 2)
    assert list((await past.tests(SLUG, builds, (), if_failed=("test",))).results) == [9]
    assert (await past.tests(SLUG, builds, ("lint",))).results == {}


async def test_the_usual_time_of_a_step_is_that_of_passed_jobs_and_kept(far_side: FarSide, store: Store) -> None:
    has(far_side, 8, 6, 4)
    for number, seconds in ((8, 10), (6, 30), (4, 20)):
        action = {"name": "Run tests", "index": 0, "status": "success", "run_time_millis": seconds * 1000}
        steps = [{"name": "Run tests", "actions": [action]}, {"name": "odd", "actions": []}]
        far_side.says(f"GET /api/v1.1/project/{SLUG}/{number}", {"build_num": number, "steps": steps})
    past = history(far_side, store)
    builds, lane = await past.builds(SLUG, "main", 3), Lane("build", "test")
    assert await past.usual_step_time(SLUG, lane, "Run tests", builds) == timedelta(seconds=20)
    asked = len(far_side.requests)
    assert await past.usual_step_time(SLUG, lane, "no such step", builds) is None
    assert len(far_side.requests) == asked


@pytest.mark.parametrize("spelling", ["_", "-"])
async def test_insights_come_in_two_spellings(far_side: FarSide, store: Store, spelling: str) -> None:
    # mcp-server-circleci#23
    flake = {"test_name": "adds", "times_flaked": 5, "classname": None}
    names = {"flaky_tests": [{name.replace("_", spelling): value for name, value in flake.items()}]}
    far_side.says(
        f"{V2}/insights/{SLUG}/flaky-tests", {name.replace("_", spelling): value for name, value in names.items()}
    )
    found = await history(far_side, store).insight(SLUG)
    assert found
    assert (found[0].test_name, found[0].times_flaked) == ("adds", 5)


async def test_no_insight_is_no_error(far_side: FarSide, store: Store) -> None:
    assert await history(far_side, store).insight(SLUG) is None
