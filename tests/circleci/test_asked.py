"""Within one question nothing is asked for twice; beyond it nothing is remembered."""

import asyncio

import httpx
import pytest
from pydantic import SecretStr

from bot.circleci.asked import MOST_BYTES, one_question
from bot.circleci.reads import Reads, circleci_reads
from bot.circleci.transport import Transport
from bot.errors import Rejected, Unavailable
from bot.models.circleci import Project, ProjectSlug, User
from bot.together import together
from tests.circleci.conftest import DATE, FarSide, page

SLUG = ProjectSlug("gh/acme/frontend")
PROJECT = f"GET /api/v2/project/{SLUG}"
FRONTEND = {"slug": SLUG, "name": "frontend", "organization_name": "acme", "vcs_info": {"default_branch": "main"}}


@pytest.fixture
def reads(far_side: FarSide) -> Reads:
    far_side.says(PROJECT, FRONTEND)
    return circleci_reads(far_side.transport)


async def test_one_question_asks_once_and_the_next_one_anew(far_side: FarSide, reads: Reads) -> None:
    with one_question():
        first = await reads.project(SLUG)
        with one_question():  # which is part of it
            assert await reads.project(SLUG) == first
        assert await together(reads.project(SLUG), reads.project(SLUG)) == [first, first]
    assert far_side.calls == [PROJECT]
    with one_question():
        await reads.project(SLUG)
    assert far_side.calls == [PROJECT] * 2
    for _ in range(2):  # outside of a question, as an act is
        await reads.project(SLUG)
    assert far_side.calls == [PROJECT] * 4


async def test_what_is_asked_at_the_same_moment_is_asked_once(far_side: FarSide, reads: Reads) -> None:
    with one_question():
        await together(*(reads.project(SLUG) for _ in range(5)))
    assert far_side.calls == [PROJECT]


async def test_two_people_at_the_same_moment_share_nothing(far_side: FarSide, reads: Reads) -> None:
    async def asks() -> Project:
        with one_question():
            await reads.project(SLUG)
            return await reads.project(SLUG)

    await together(asks(), asks())
    assert far_side.calls == [PROJECT] * 2


async def test_pages_and_questions_at_one_path_are_told_apart(far_side: FarSide, reads: Reads) -> None:
    one = {"id": "p1", "number": 1, "project_slug": SLUG, "created_at": DATE.isoformat()}
    far_side.says(f"{PROJECT}/pipeline?branch=main", page(one, token="2"))
    far_side.says(f"{PROJECT}/pipeline?branch=main&page-token=2", page({**one, "id": "p0", "number": 0}))
    far_side.says(f"{PROJECT}/pipeline", page({**one, "id": "p9", "number": 9}))
    with one_question():
        for _ in range(2):
            assert [found.number for found in await reads.pipelines(SLUG, "main", pages=2)] == [1, 0]
            assert [found.number for found in await reads.pipelines(SLUG)] == [9]
    assert len(far_side.calls) == 3


async def test_a_refusal_is_an_answer_and_an_outage_is_none(far_side: FarSide, reads: Reads) -> None:
    far_side.says(PROJECT, httpx.Response(404, json={"message": "Project not found"}))
    with one_question():
        for _ in range(2):
            with pytest.raises(Rejected, match="Project not found"):
                await reads.project(SLUG)
    assert far_side.calls == [PROJECT]
    far_side.says(PROJECT, *[httpx.Response(503)] * 3, FRONTEND)
    with one_question():
        with pytest.raises(Unavailable):
            await reads.project(SLUG)
        assert (await reads.project(SLUG)).title == "acme/frontend"


async def test_no_more_is_remembered_than_there_is_room_for(far_side: FarSide, reads: Reads) -> None:
    test = {"name": "adds", "classname": "Cart", "result": "success", "message": "x" * 10_000}
    far_side.says(f"{PROJECT}/1/tests", page(*[test] * (MOST_BYTES // 10_000)))
    far_side.says(f"{PROJECT}/2/tests", page(test))
    with one_question():
        for number in (1, 1, 2, 2):
            await reads.some_tests(SLUG, number, 1)
    assert far_side.calls == [f"{PROJECT}/{number}/tests" for number in (1, 1, 2)]


async def test_who_is_cut_off_leaves_it_to_the_next(far_side: FarSide, reads: Reads) -> None:
    began, forever = asyncio.Event(), asyncio.Event()

    async def handle(request: httpx.Request) -> httpx.Response:
        if not began.is_set():
            began.set()
            await forever.wait()
        return httpx.Response(200, json=FRONTEND)

    async with Transport("https://x.example", SecretStr("t"), transport=httpx.MockTransport(handle)) as transport:
        slow = circleci_reads(transport)
        with one_question():
            first = asyncio.create_task(slow.project(SLUG))
            await began.wait()
            second = asyncio.create_task(slow.project(SLUG))
            first.cancel()
            assert (await second).title == "acme/frontend"


async def test_each_tokens_owner_is_asked_for(far_side: FarSide) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"login": request.headers["Authorization"].removeprefix("Bearer ")})

    mock, tokens = httpx.MockTransport(handle), {"gh/other": SecretStr("theirs")}
    async with Transport("https://x.example", SecretStr("ours"), tokens=tokens, transport=mock) as transport:
        with one_question():
            found = await circleci_reads(transport).owners()
    assert {name: one.login for name, one in found.items() if isinstance(one, User)} == {
        "": "ours",
        "gh/other": "theirs",
    }
