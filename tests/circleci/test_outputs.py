import asyncio
import json
import tracemalloc

import httpx
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.circleci.evidence import CircleCIEvidence
from bot.circleci.logs import tail
from bot.circleci.outputs import messages
from bot.circleci.transport import Transport
from bot.errors import CircleCIError, Rejected, Unavailable
from tests.circleci.conftest import SECRET, FarSide, serving

LOG = "https://storage.example/log?X-Amz-Signature=KEY"
ASKED = "GET /log?X-Amz-Signature=KEY"


def chunk(message: str, kind: str = "out") -> dict[str, str]:
    return {"type": kind, "time": "2026-11-20T10:01:02.123Z", "message": message}


@pytest.fixture
def evidence(far_side: FarSide) -> CircleCIEvidence:
    return CircleCIEvidence(far_side.transport)


async def test_a_job_is_read_with_its_steps(far_side: FarSide, evidence: CircleCIEvidence) -> None:
    action = {"index": 0, "status": "timedout", "failed": None, "has_output": True, "output_url": LOG}
    steps = [{"name": "npm test", "actions": [action]}]
    far_side.says("GET /api/v1.1/project/gh/acme/frontend/7", {"build_num": 7, "steps": steps})
    build = await evidence.job_steps("gh/acme/frontend", 7)
    assert build.steps[0].actions[0].is_failed
    assert "KEY" not in repr(build)


async def test_output_is_fetched_without_the_token(far_side: FarSide, evidence: CircleCIEvidence) -> None:
    far_side.says(ASKED, [chunk("> jest\r\n"), chunk("FAIL\r\n", "err")])
    output = await evidence.output(LOG)
    assert (output.text, output.shortened, output.complete) == ("> jest\r\nFAIL\r\n", False, True)
    assert SECRET not in str(far_side.requests[0].headers.raw)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        pytest.param(httpx.Response(403, text="<Error>AccessDenied</Error>"), Rejected, id="expired"),
        pytest.param(httpx.ReadTimeout("KEY"), Unavailable, id="time-out"),
    ],
)
async def test_output_that_cannot_be_had_raises_without_its_address(
    far_side: FarSide, evidence: CircleCIEvidence, reply: object, kind: type[Exception]
) -> None:
    far_side.says(ASKED, reply)
    with pytest.raises(kind) as caught:
        await evidence.output(LOG)
    assert "KEY" not in repr(caught.value)


async def test_no_address_at_all_is_no_crash(evidence: CircleCIEvidence) -> None:
    for url in ("http://[broken", "http://a.example:port/x", "nowhere", "", "http://" + "a" * 70_000):
        with pytest.raises(CircleCIError):
            await evidence.output(url)


async def test_the_end_of_200_megabytes_is_found_in_bounded_memory() -> None:
    # C13
    # One message of 200 MB, the form in which no element's head is left in the tail.
    piece = ('step output, quoted \\"so\\"\\u001b[0m\\r\\n' * 1800)[:65_520].rpartition("\\r")[0].encode()

    sent: list[int] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'[{"type":"out","time":"2026-11-20T10:01:02.123Z","message":"')
        for _ in range(200_000_000 // len(piece)):
            await response.write(piece)
            sent.append(len(piece))
        await response.write(b'\\r\\nFAIL pilot/e2e TestX (12.3s)\\r\\n"}]')
        return response

    async with serving(handle) as url, Transport(url, SecretStr(SECRET)) as transport:
        tracemalloc.start()
        output = await CircleCIEvidence(transport).output(f"{url}/log", max_bytes=100_000, deadline_seconds=60)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert sum(sent) > 199_000_000
    assert output.shortened
    assert output.complete
    assert tail(output.text, 2) == ('step output, quoted "so"', "FAIL pilot/e2e TestX (12.3s)")
    assert len(output.text) < 100_000
    assert peak < 5_000_000


async def test_an_end_that_does_not_come_in_time_is_said() -> None:
    sent = asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(json.dumps([chunk("one\n"), chunk("two\n")]).encode()[:-9])
        sent.set()
        await asyncio.Event().wait()
        return response

    async with serving(handle) as url, Transport(url, SecretStr(SECRET)) as transport:
        output = await CircleCIEvidence(transport).output(url, deadline_seconds=0.2)
    assert sent.is_set()
    assert (output.complete, output.text) == (False, "one\n")


@pytest.mark.parametrize(
    ("document", "text"),
    [
        pytest.param('[{"type":"out","message":"a"},{"message":"b","type":"err"}]', "ab", id="any order of keys"),
        pytest.param('[ {"message" : "a\\"b\\\\"} ]', 'a"b\\', id="spaces, escapes"),
        pytest.param('[{"message":null},{"message":"a"}]', "a", id="null"),
        pytest.param('[{"message":"{\\"message\\":\\"x\\"}"}]', '{"message":"x"}', id="json in the log"),
        pytest.param("[]", "", id="empty list"),
        pytest.param("plain text\n", "plain text\n", id="no document"),
        pytest.param('[{"message":"a\\u00', "a", id="cut in an escape"),
        pytest.param('[{"message":"a\\\\', "a\\", id="cut after an escape"),
        pytest.param('[{"message":"a\\q"}]', "a\\q", id="an escape that is none"),
    ],
)
def test_messages_are_read_from_whole_documents(document: str, text: str) -> None:
    assert messages(document, cut=False) == text


def test_wherever_the_head_is_cut_whole_lines_follow() -> None:
    lines = [
        f'<{number}> a "quoted" \\ line, with {{"message":"this"}} and \x1b[31mred\x1b[0m 💥' for number in range(40)
    ]
    chunks = ["\n".join(lines[:30]) + "\n", "\n".join(lines[30:]) + "\n"]
    document = json.dumps([chunk(text) for text in chunks])
    for cut in range(1, len(document)):
        found = messages(document[cut:], cut=True).splitlines()
        whole = [line for line in found if line in lines]
        assert whole == lines[len(lines) - len(whole) :]
        assert len(found) - len(whole) <= 1
    assert messages(document[20:], cut=True).splitlines() == lines[1:]


@given(st.lists(st.text(max_size=30), max_size=5), st.booleans())
def test_a_whole_document_gives_its_messages_back(texts: list[str], ascii_only: bool) -> None:
    document = json.dumps([chunk(text) for text in texts], ensure_ascii=ascii_only)
    assert messages(document, cut=False) == "".join(texts)


@given(st.text())
def test_no_document_is_a_crash(document: str) -> None:
    messages(document, cut=True)
    messages(document, cut=False)
