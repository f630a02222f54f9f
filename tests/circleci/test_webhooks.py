"""Signatures and events of CircleCI's webhooks."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.circleci.webhooks import is_signed, read

# https://circleci.com/docs/outbound-webhooks/#validate-webhooks
VECTORS = [
    ("hello world", "secret", "734cc62f32841568f45715aeb9f4d7891324e6d948e4c6c60c0621cdac48623a"),
    ("an-important-request-payload", "hunter123", "9be2242094a9a8c00c64306f382a7f9d691de910b4a266f67bd314ef18ac49fa"),
]


@pytest.mark.parametrize(("body", "secret", "signature"), VECTORS)
def test_circlecis_own_examples_are_signed(body: str, secret: str, signature: str) -> None:
    assert is_signed(body.encode(), f"v1={signature}", secret)
    assert is_signed(body.encode(), f"v0=x, v1={signature},v2=later", secret)


@pytest.mark.parametrize("header", ["", "v1=", "v1", "v0={}", "V1={}", "v1={}x", "=", "v1=ä", ",,,", "v2={}"])
def test_nothing_else_is(header: str) -> None:
    body, secret, signature = VECTORS[0]
    assert not is_signed(body.encode(), header.format(signature), secret)


@given(st.binary(), st.binary(), st.text(min_size=1))
def test_another_body_has_another_signature(body: bytes, other: bytes, secret: str) -> None:
    signature = hmac.new(secret.encode("utf-8", "surrogatepass"), body, hashlib.sha256).hexdigest()
    if secret.isascii():
        assert is_signed(body, f"v1={signature}", secret)
        assert is_signed(other, f"v1={signature}", secret) == (other == body)


def test_an_event_says_whom_it_is_about_and_a_ping_is_about_nobody() -> None:
    now = datetime(2026, 11, 20, 10, tzinfo=UTC)
    ping = {"type": "ping", "id": "1", "happened_at": "2026-11-20T09:59:36.507435Z", "webhook": {"id": "w"}}
    event = read(json.dumps(ping).encode())
    assert event is not None
    assert event.pipeline_id is None
    assert event.is_fresh(now)
    assert not event.is_fresh(now + timedelta(hours=2))
    assert event.is_fresh(now - timedelta(minutes=4))  # our clock may be late
    assert not event.is_fresh(now - timedelta(minutes=7))
    ended = read(
        json.dumps({**ping, "type": "job-completed", "pipeline": {"id": "p", "number": 1}, "new": {}}).encode()
    )
    assert ended is not None
    assert ended.pipeline_id == "p"


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"id": 1}', b'{"id":"1","type":"x","happened_at":"?"}'])
def test_what_is_no_event_is_none(body: bytes) -> None:
    assert read(body) is None
