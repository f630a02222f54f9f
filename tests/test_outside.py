"""The proxy and the certificates of the environment: one rule for all that leaves this machine."""

import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.circleci.transport import Transport
from bot.errors import SlackError, Unavailable
from bot.messenger import Messenger
from bot.outside import certificates, proxy_for, why_unreached, wrong_certificates, wrong_proxy
from tests.circleci.conftest import serving
from tests.faults.redis_servers import certificate

PROXY = "http://proxy.corp:3128"
NO_PROXY = "inside,.corp,10.0.0.1,localhost:8080"


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("https://slack.com/api/auth.test", PROXY),
        ("wss://wss-primary.slack.com/link/?ticket=x", PROXY),
        ("https://10.0.0.2", PROXY),
        ("https://inside:8443/", None),
        ("https://ci.corp", None),
        ("https://10.0.0.1/", None),
        ("https://localhost:8080/x", None),
        ("http://slack.com", None),
        ("ws://slack.com", None),
        ("nonsense", None),
    ],
)
def test_the_way_to_an_address(url: str, taken: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.corp:3128")
    monkeypatch.setenv("NO_PROXY", NO_PROXY)
    assert proxy_for(url) == taken


@pytest.mark.parametrize(
    ("proxy", "wrong"),
    [
        ("", ""),
        ("proxy.corp:3128", ""),
        ("http://bot:hunter2@proxy.corp:3128", ""),
        ("https://proxy.corp", ""),
        ("socks5://proxy.corp:1080", "SOCKS is not understood: name a proxy of http://"),
        ("socks5h://bot:hunter2@proxy.corp", "SOCKS is not understood: name a proxy of http://"),
        ("ftp://proxy.corp", "it is no address such as http://proxy.example:3128"),
        ("http://", "it is no address such as http://proxy.example:3128"),
        ("http://bot:hunter2@proxy.corp:port", "it is no address such as http://proxy.example:3128"),
        ("http://[hunter2", "it is no address such as http://proxy.example:3128"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named(proxy: str, wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.setenv("NO_PROXY", NO_PROXY)
    assert wrong_proxy("https://slack.com") == wrong
    assert wrong_proxy("https://ci.corp") == ""  # which is reached without it


@pytest.mark.parametrize(
    ("error", "url", "why"),
    [
        ("ClientConnectorDNSError", "https://slack.com", "the proxy's name leads nowhere"),
        ("ClientConnectorDNSError", "https://ci.corp", "its name leads nowhere"),
        ("ClientConnectorDNSError", "http://slack.com", "its name leads nowhere"),
        ("ClientProxyConnectionError", "https://slack.com", "the proxy does not answer"),
        ("OddError", "https://slack.com", "no connection"),
    ],
)
def test_why_a_far_side_is_not_reached(error: str, url: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.corp:3128")
    monkeypatch.setenv("NO_PROXY", NO_PROXY)
    assert why_unreached(error, url) == why


async def test_authorities_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    _, chain = await certificate(tmp_path)
    empty = tmp_path / "empty.pem"
    empty.write_text("nonsense")
    found = [wrong_certificates(str(one)) for one in (chain, empty, tmp_path / "none.pem", tmp_path)]
    assert found == [
        "",
        "it holds no certificate, as PEM writes them",
        "there is no such file",
        "it cannot be read: is a directory",
    ]


async def _refuses(_: web.Request) -> web.Response:
    return web.Response(status=407)


async def test_a_proxy_that_lets_nobody_through_is_named_and_nothing_has_arrived(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving(_refuses) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        async with Transport("https://circleci.example", SecretStr("t"), back_off=timedelta()) as transport:
            with pytest.raises(Unavailable, match="the proxy does not let me through") as caught:
                await transport.request("POST", "/trigger", json={})
            assert not caught.value.arrived
            with pytest.raises(Unavailable, match="the proxy does not let me through"):  # of what stores the files
                await transport.artifact("https://bucket.example/junit.xml", max_bytes=1)
        async with Messenger(token=SecretStr("xoxb-1"), api_url="https://slack.example") as messenger:
            with pytest.raises(SlackError) as refused:
                await messenger.identity()
        assert (refused.value.code, refused.value.lost) == ("ClientHttpProxyError", False)


async def test_what_no_proxy_names_is_asked_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with serving(_refuses) as far_side:
        async with Messenger(token=SecretStr("xoxb-1"), api_url=far_side) as messenger:
            with pytest.raises(SlackError, match="http_407"):
                await messenger.identity()
        async with Transport(far_side, SecretStr("t")) as transport:
            with pytest.raises(Exception, match="407"):
                await transport.request("GET", "/x")


async def test_authorities_of_ssl_cert_file_are_trusted_beside_those_of_the_world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, own = await certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(own))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    trusted = certificates.__wrapped__()
    assert trusted.verify_mode is ssl.CERT_REQUIRED
    assert trusted.check_hostname
    known = [str(one["subject"]) for one in trusted.get_ca_certs()]
    assert [one for one in known if "redis" in one]
    assert len(known) > 50
