"""What the past costs: what a question or a report has just read, and the old end of a list, are not read again."""

import pytest

from bot.circleci.asked import one_question
from bot.circleci.reads import circleci_reads
from bot.circleci.report import MOST_PAGES, report
from bot.circleci.triage import triage
from bot.models.build import Report
from bot.models.circleci import Vcs
from bot.store import Store
from tests.circleci.conftest import DATE, FarSide, page
from tests.circleci.test_history import PROJECT, RED, SLUG, V2, has, history, rerun


async def test_what_was_just_seen_of_a_build_is_not_read_again(far_side: FarSide, store: Store) -> None:
    has(far_side, 9)
    reads, past = circleci_reads(far_side.transport), history(far_side, store)
    (pipeline,) = await reads.pipelines(SLUG, "main")
    seen = await reads.whole(pipeline)
    far_side.requests.clear()
    told = await past.build(pipeline, seen)
    assert told is not None
    assert (far_side.calls, [job.name for job in told.jobs]) == ([], ["test"])
    assert await past.build(pipeline) == told
    assert far_side.calls == [f"{V2}/pipeline/p9/workflow"]  # its jobs are kept


@pytest.mark.parametrize("pages", [1, MOST_PAGES, MOST_PAGES + 1])
async def test_results_that_a_report_has_read_whole_are_not_read_again(
    far_side: FarSide, store: Store, pages: int
) -> None:
    has(far_side, 9)
    for number in range(pages):
        token = f"?page-token={number}" if number else ""
        more = str(number + 1) if number + 1 < pages else None
        far_side.says(f"{PROJECT}/9/tests{token}", page({**RED, "name": f"test {number}"}, token=more))
    reads, past = circleci_reads(far_side.transport), history(far_side, store)
    seen = await reads.whole((await reads.pipelines(SLUG, "main"))[0])
    await report(reads, seen, past=store.past)
    far_side.requests.clear()
    today = await past.build(seen.pipeline, seen)
    assert today is not None
    tested = await past.tests(SLUG, [today])
    assert (tested.results[9].total, tested.results[9].is_whole) == (pages, True)
    assert len(far_side.calls) == (0 if pages <= MOST_PAGES else pages)


async def test_a_build_that_was_compared_is_kept_for_those_after_it(far_side: FarSide, store: Store) -> None:
    has(far_side, 8, 6)
    reads, past = circleci_reads(far_side.transport), history(far_side, store)
    frontend = {"slug": SLUG, "name": "frontend", "organization_name": "acme", "vcs_info": {"default_branch": "main"}}
    far_side.says(PROJECT, frontend)
    passed = await reads.whole((await reads.pipelines(SLUG, "main"))[0])
    pipeline = passed.pipeline.model_copy(update={"vcs": Vcs(branch="main")})
    await triage(reads, past, passed.model_copy(update={"pipeline": pipeline}), Report(), last=30)
    far_side.requests.clear()
    await past.builds(SLUG, "main", 2)
    assert f"{V2}/workflow/w8/job" not in far_side.calls


async def test_of_a_build_that_was_rerun_the_attempts_before_are_read(far_side: FarSide, store: Store) -> None:
    has(far_side, 9)
    rerun(far_side, 9, "success")
    reads, past = circleci_reads(far_side.transport), history(far_side, store)
    (pipeline,) = await reads.pipelines(SLUG, "main")
    seen = await reads.whole(pipeline)
    far_side.requests.clear()
    told = await past.build(pipeline, seen)
    assert told is not None
    assert [job.job_number for job in told.jobs] == [9, 90]
    assert far_side.calls == [f"{V2}/pipeline/p9/workflow", f"{V2}/workflow/w9/job"]


def has_pages(far_side: FarSide, newest: int, many: int, *, young: int = 0) -> list[str]:
    """Let main have been built so many times, listed on pages of ten; returns the addresses of the pages."""
    numbers = range(newest, newest - many, -1)
    has(far_side, *numbers)
    addresses = list[str]()
    for first in range(0, many, 10):
        states = {number: "created" if number != young else "setup" for number in numbers[first : first + 10]}
        listed = [
            {"id": f"p{number}", "number": number, "project_slug": SLUG, "state": state, "created_at": DATE.isoformat()}
            for number, state in states.items()
        ]
        token = f"&page-token={first}" if first else ""
        addresses.append(f"{PROJECT}/pipeline?branch=main{token}")
        far_side.says(addresses[-1], page(*listed, token=str(first + 10) if first + 10 < many else None))
    return addresses


async def read_lists(far_side: FarSide, store: Store, last: int) -> list[str]:
    """Ask for the newest builds, and return which pages of their list were read."""
    far_side.requests.clear()
    with one_question():
        builds = await history(far_side, store).builds(SLUG, "main", last)
    numbers = [build.pipeline.number for build in builds]
    assert numbers == list(range(numbers[0], numbers[0] - last, -1))
    return [call for call in far_side.calls if call.startswith(f"{PROJECT}/pipeline?")]


async def test_of_a_long_list_only_what_is_needed_and_later_the_new_end_is_read(
    far_side: FarSide, store: Store
) -> None:
    pages = has_pages(far_side, 150, 60)
    assert await read_lists(far_side, store, 10) == pages[:1]
    assert await read_lists(far_side, store, 30) == pages[:4]
    assert await read_lists(far_side, store, 30) == pages[:1]
    has_pages(far_side, 157, 60)
    assert await read_lists(far_side, store, 30) == pages[:1]
    has_pages(far_side, 164, 60)  # of which the new end is kept with the rest
    assert await read_lists(far_side, store, 40) == pages[:1]
    has_pages(far_side, 180, 70)  # what is new is longer than a page
    assert await read_lists(far_side, store, 30) == pages[:2]
    assert await read_lists(far_side, store, 70) == pages[:1]


async def test_a_list_is_kept_behind_what_may_still_change(far_side: FarSide, store: Store) -> None:
    pages = has_pages(far_side, 150, 40, young=135)
    assert await read_lists(far_side, store, 30) == pages[:4]
    assert [one.number for one in await store.past.listed(SLUG, "main")] == [*range(134, 110, -1)]
    assert await read_lists(far_side, store, 30) == pages[:2]


@pytest.mark.parametrize(("last", "read"), [(0, 0), (1, 5), (7, 5)])
async def test_what_no_workflow_matched_hides_nothing_behind_it(
    far_side: FarSide, store: Store, last: int, read: int
) -> None:
    pages = has_pages(far_side, 150, 50)
    for number in range(150, 107, -1):
        far_side.says(f"{V2}/pipeline/p{number}/workflow", page())
    with one_question():
        builds = await history(far_side, store).builds(SLUG, "main", last)
    assert [build.pipeline.number for build in builds] == [*range(107, 107 - last, -1)]
    assert len([call for call in far_side.calls if call in pages]) == read


async def test_of_an_endless_list_only_so_much_is_read(far_side: FarSide, store: Store) -> None:
    pages = has_pages(far_side, 300, 120)
    for number in range(300, 180, -1):
        far_side.says(f"{V2}/pipeline/p{number}/workflow", page())
    with one_question():
        assert await history(far_side, store).builds(SLUG, "main", 1) == ()
    assert [call for call in far_side.calls if call in pages] == pages[:8]
