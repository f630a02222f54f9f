"""Which lines of a log speak of infrastructure."""

import pytest

from bot.configuration import load_projects
from bot.settings import Projects
from bot.triage.infrastructure import OURS, cause_in, compiled


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("Too long with no output (exceeded 10m0s): context deadline exceeded", "no output"),
        ("read tcp 10.0.0.1:443: i/o timeout", "network time-out"),
        ("curl: (6) Could not resolve host: registry.example", "name not resolved"),
        ("received unexpected HTTP status: 503 Service Unavailable", "registry or mirror down"),
        ("Error: Command failed with ENOSPC: no space left on device", "disk full"),
        ("the spot instance was reclaimed", "lost runner"),
        ("ssh: connect to host x port 22: Connection refused", "connection lost"),
        ("warning: connection reset by peer, retrying (1/3)", ""),
        ("expected 200, got 503", ""),
        ("AssertionError: 404 != 500", ""),
        ("FAILED test_timeout", ""),
    ],
)
def test_a_line_is_nobodys_fault_or_not(line: str, cause: str) -> None:
    assert cause_in([line], OURS) == cause


def test_patterns_of_the_settings_go_first_and_replace_ours() -> None:
    projects = Projects(infrastructure={"vault asleep": "vault: sealed", "disk full": "quota"})
    assert cause_in(["vault: sealed, connection refused"], projects.patterns) == "vault asleep"
    assert cause_in(["no space left on device"], projects.patterns) == ""


def test_a_pattern_that_takes_too_long_is_passed_over() -> None:
    slow = compiled({"slow": r"(a|aa)+$"})
    assert cause_in(["a" * 5000 + "b ECONNRESET"], slow) == "connection lost"


def test_a_pattern_that_is_none_is_named_at_the_start(tmp_path: object) -> None:
    with pytest.raises(ValueError, match="'bad' is no regular expression"):
        Projects(infrastructure={"bad": "("})
    assert load_projects(None).infrastructure == {}
