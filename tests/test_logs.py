"""No log line holds a credential, whoever wrote it."""

import logging

import pytest
import structlog

from bot.logs import configure, without_secrets


@pytest.mark.parametrize(
    "text",
    [
        "xoxb-12-SECRET",
        "xapp-1-SECRET",
        "CCIPAT_SECRET",
        f"Token cia_{'a-b_' * 10}SECRET",
        "https://circleci.com/api/v1.1/me?circle-token=SECRET&x=1",
        "https://hooks.slack.com/actions/T0/SECRET",
        "wss://wss-primary.slack.com/link/?ticket=SECRET",
        "Authorization: Bearer SECRET",
    ],
)
def test_what_is_secret_is_replaced(text: str) -> None:
    assert "SECRET" not in without_secrets(f"before {text} after")


def test_both_kinds_of_loggers_are_covered(capsys: pytest.CaptureFixture[str]) -> None:
    before, ours = (logging.getLogger().handlers[:], logging.getLogger().level), structlog.get_config()
    try:
        configure("INFO")
        structlog.get_logger("ours").info("an_event", token="xoxb-1-SECRET")
        logging.getLogger("theirs").warning("with xapp-1-SECRET")
        try:
            int("xoxb-2-SECRET")
        except ValueError:
            structlog.get_logger("ours").exception("it_broke")
        told = capsys.readouterr().out
    finally:
        logging.getLogger().handlers, logging.getLogger().level = before
        structlog.configure(**ours)
    assert "an_event" in told
    assert "ValueError" in told
    assert "SECRET" not in told
