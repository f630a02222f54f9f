"""An address that somebody gives is refused without being quoted, where more than a host is in it."""

import pytest

from bot.models.addresses import reached_at, without_end


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("https://ci.example.com", ""),
        ("https://ci.example.com:8443/", ""),
        ("https://bot:hunter2@ci.example.com", "a name or a password"),
        ("https://hunter2@ci.example.com", "a name or a password"),
        ("https://", "names no host"),
        ("https://:443", "names no host"),
        ("https://ci.hunter2 example.com", "names no host"),
        ("https://[hunter2", "is no address"),
        ("https://hunter2:port", "is no address"),
        ("http://hunter2.example.com", "must start with https://"),
        ("ci.hunter2.example.com", "must start with https://"),
        ("https://ci.example.com/circleci/webhook", "/circleci/webhook is added by me"),
        ("https://ci.example.com/slack/events/", "/slack/events is added by me"),
        ("https://ci.example.com/mcp", "/mcp is added by me"),
        ("https://ci.example.com/hunter2", "must end behind the host"),
        ("https://ci.example.com?token=hunter2", "leave out what follows"),
        ("https://ci.example.com/#", "leave out what follows"),
    ],
)
def test_where_somebody_reaches_us(given: str, said: str) -> None:
    if not said:
        assert reached_at(given) == given.rstrip("/")
        return
    with pytest.raises(ValueError, match=said) as refused:
        reached_at(given)
    assert "hunter2" not in str(refused.value)


def test_a_far_side_may_have_a_path_and_no_password() -> None:
    assert without_end("http://proxy.internal/slack/api/") == "http://proxy.internal/slack/api"
    with pytest.raises(ValueError, match="a name or a password"):
        without_end("http://bot:hunter2@proxy.internal/slack")
