"""Settings that cannot work are named all at once, with what is wrong and where to get it."""

import errno
import socket
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from bot.configuration import BadSettings, empty_environment, load, load_projects, why_not_served
from bot.settings import Settings
from formatters import checkup

GOOD = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "CIRCLECI_TOKEN": "token"}


def set_up(monkeypatch: pytest.MonkeyPatch, **changed: str | None) -> None:
    for name, value in {**GOOD, **changed}.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"SLACK_BOT_TOKEN": None, "CIRCLECI_TOKEN": None}, ["SLACK_BOT_TOKEN", "CIRCLECI_TOKEN"]),
        ({"SLACK_APP_TOKEN": None}, ["SLACK_APP_TOKEN"]),
        ({"CIRCLECI_URL": "circleci.com"}, ["CIRCLECI_URL"]),
        ({"LOG_LEVEL": "LOUD"}, ["LOG_LEVEL"]),
        ({"POLL_INTERVAL_SECONDS": "0", "PORT": "x"}, ["PORT", "POLL_INTERVAL_SECONDS"]),
        ({"PROJECTS_FILE": "/nowhere.toml"}, ["PROJECTS_FILE"]),
        ({"SLACK_BOT_TOKEN": "xapp-1"}, ["SLACK_BOT_TOKEN"]),
        ({"SLACK_APP_TOKEN": "xoxb-1"}, ["SLACK_APP_TOKEN"]),
        ({"CIRCLECI_TOKEN": '"token"'}, ["CIRCLECI_TOKEN"]),
        ({"REDIS_URL": "redis.acme.example:6379"}, ["REDIS_URL"]),
        ({"REDIS_URL": "redis://redis.acme.example/cache"}, ["REDIS_URL"]),
        ({"CIRCLECI_TOKEN": "CCIPRJ_acme_1"}, ["CIRCLECI_TOKEN"]),
        ({"OPERATOR_CHANNEL": "#releases"}, ["OPERATOR_CHANNEL"]),
        ({"SLACK_API_URL": "https://bot:hunter2@proxy.example"}, ["SLACK_API_URL"]),
        (
            {"SLACK_BOT_TOKEN": None, "SLACK_APP_TOKEN": None, "PORT": "x", "PROJECTS_FILE": "/nowhere.toml"},
            ["SLACK_BOT_TOKEN", "PORT", "SLACK_APP_TOKEN", "PROJECTS_FILE"],
        ),
    ],
)
def test_what_is_wrong_is_named(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, str | None], named: list[str]
) -> None:
    set_up(monkeypatch, **changed)
    with pytest.raises(BadSettings) as caught:
        load()
    assert [name for name, _ in caught.value.problems] == named
    assert "xoxb-1" not in str(caught.value)
    assert "xapp-1" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "masked"),
    [
        ("hunter2-a, hunter2-b", ("hunter2-a", "hunter2-b")),
        ("hunter2-a,,hunter2-b,", ("hunter2-a", "hunter2-b")),
        ('["hunter2,a", "multi\\nline\\nvalue"]', ("hunter2,a", "multi\nline\nvalue")),
        ("[hunter2", ("[hunter2",)),
        ("", ()),
    ],
)
def test_the_values_to_mask_are_listed(monkeypatch: pytest.MonkeyPatch, given: str, masked: tuple[str, ...]) -> None:
    set_up(monkeypatch, MASK_VALUES=given)
    secrets = load()[0].secrets
    assert secrets[-len(masked) :] == masked if masked else secrets[-1] == "xapp-1" or "token" in secrets


@pytest.mark.parametrize(
    ("address", "secret"),
    [
        ("redis://redis.internal:6379/0", set()),
        ("unix:///run/redis.sock", set()),
        ("rediss://bot:p%2Fword@redis.internal", {"rediss://bot:p%2Fword@redis.internal", "p/word"}),
        ("redis://redis.internal?password=hunter2", {"redis://redis.internal?password=hunter2", "hunter2"}),
    ],
)
def test_redis_is_a_secret_where_a_password_is_in_it(
    monkeypatch: pytest.MonkeyPatch, address: str, secret: set[str]
) -> None:
    set_up(monkeypatch)
    before = set(load()[0].secrets)
    set_up(monkeypatch, REDIS_URL=address)
    assert set(load()[0].secrets) - before == secret


def test_an_address_of_redis_that_is_none_is_refused_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(monkeypatch, REDIS_URL="redis://:hunter2@redis.internal:port")
    with pytest.raises(BadSettings) as caught:
        load()
    assert "hunter2" not in str(caught.value)
    assert caught.value.problems == [("REDIS_URL", "must be an address such as redis://user:password@host:6379/0")]


@pytest.mark.parametrize(
    "given",
    [
        "hunter2-a,abcde",
        "abc",
        '["hunter2-a", "abcde"]',
        '["hunter2-a", ""]',
        "[hunter2]",
        "[1234567]",
        '["  a\\n b c"]',
        "pass,word-of-mine",
        "[" * 50_000 + "]" * 50_000,
    ],
)
def test_a_value_that_could_not_be_masked_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    set_up(monkeypatch, MASK_VALUES=given)
    with pytest.raises(BadSettings) as caught:
        load()
    assert [name for name, _ in caught.value.problems] == ["MASK_VALUES"]
    said = checkup.bad_settings(caught.value.problems)
    assert "MASK_VALUES" in said
    assert "JSON list" in said
    for value in ("abc", "hunter2", "1234567", "pass", "[["):
        assert value not in said


def test_waits_are_multiples_of_the_poll_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(monkeypatch, POLL_INTERVAL_SECONDS="2", ADMINS="U1, U2", CIRCLECI_URL="https://ci.acme.example/")
    settings, _ = load()
    assert (settings.grace, settings.settle) == (timedelta(seconds=30), timedelta(seconds=4))
    assert (settings.on_hold, settings.linger) == (timedelta(seconds=24), timedelta(seconds=1440))
    assert settings.lease == timedelta(seconds=6)
    assert settings.back_off == timedelta(seconds=0.08)
    assert settings.admins == ("U1", "U2")
    assert settings.web_url == "https://ci.acme.example"


def test_admins_that_are_no_ids_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(monkeypatch, ADMINS="U1, @ada")
    with pytest.raises(BadSettings) as caught:
        load()
    assert caught.value.problems == [("ADMINS", "'@ada' is not Slack's id, which begins with U or W")]


@pytest.mark.parametrize("poll_interval", ["5", "60"])
def test_nobody_waits_longer_for_a_second_try_because_builds_are_looked_at_seldom(
    monkeypatch: pytest.MonkeyPatch, poll_interval: str
) -> None:
    set_up(monkeypatch, POLL_INTERVAL_SECONDS=poll_interval)
    assert Settings().back_off == timedelta(seconds=0.2)


def test_cloud_has_its_own_page(monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(monkeypatch)
    assert Settings().web_url == "https://app.circleci.com"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORT", "http", "it must be a whole number"),
        ("PORT", "70000", "it must be 65535 or less"),
        ("RETENTION_DAYS", "inf", "it must be a number"),
        ("RETENTION_DAYS", "a month", "it must be a number"),
        ("AUDIT_RETENTION_DAYS", "1e9", "it must be 36500 or less"),
        ("GRACE_SECONDS", "0", "it must be more than 0"),
        ("AUDIT_LOG", "maybe", "it must be true or false"),
        ("METRICS_TOKEN", "hunter22", "it must have 16 characters or more"),
        ("PROJECTS_FILE", "/nowhere.toml", "/nowhere.toml: there is no such file"),
        ("SSL_CERT_FILE", "/nowhere.pem", "/nowhere.pem: there is no such file"),
        ("HTTPS_PROXY", "socks5://bot:hunter2@proxy", "SOCKS is not understood: name a proxy of http://"),
    ],
)
def test_what_is_wrong_with_a_value_is_said_in_our_words(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    set_up(monkeypatch, **{name: value})
    with pytest.raises(BadSettings) as caught:
        load()
    assert caught.value.problems == [(name, said)]


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (OSError(errno.EADDRINUSE, "Address already in use"), ("PORT", "3000 is taken by another process")),
        (PermissionError(errno.EACCES, "Permission denied"), ("PORT", "3000 may not be used by this user")),
        (OSError(errno.EADDRNOTAVAIL, "Cannot assign"), ("HOST", "0.0.0.0 is no address of this machine")),
        (socket.gaierror(-2, "Name or service not known"), ("HOST", "0.0.0.0 is no address of this machine")),
        (OSError(errno.EMFILE, "Too many open files"), ("PORT", "3000 cannot be listened on: too many open files")),
    ],
)
def test_what_keeps_us_from_listening_is_a_setting(error: OSError, named: tuple[str, str]) -> None:
    given = Settings.model_validate({"slack_bot_token": "xoxb-1", "circleci_token": "t"})
    bad = why_not_served(error, given)
    assert bad.problems == [named]
    assert "README" not in checkup.bad_settings(bad.problems)


def test_the_projects_file_gives_aliases_and_definitions(tmp_path: Path) -> None:
    path = tmp_path / "projects.toml"
    path.write_text('default_vcs = "bb"\n[projects.mobile]\nslug = "circleci/a/b"\ndefinition = "d1"\n')
    projects = load_projects(path)
    assert projects.default_vcs == "bb"
    assert projects.definition_for("circleci/a/b") == "d1"
    assert projects.definition_for("gh/acme/frontend") is None
    path.write_text("[projects.mobile]\nslag = 1\n")
    with pytest.raises(BadSettings, match="slug"):
        load_projects(path)
    path.write_text('[projects.mobile]\nslug = "acme"\n[tokens]\n"gh/acme" = "CCIPRJ_hunter2"\n')
    with pytest.raises(
        BadSettings, match=r"slug: 'acme' is no slug such as .*tokens: this is a project's token"
    ) as bad:
        load_projects(path)
    assert "hunter2" not in str(bad.value)


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ('["refs/heads/main"]', "'refs/heads/main' fits nothing: write it without refs/heads/"),
        ('["tag:v*"]', "'tag:v*' fits nothing: write it without tag:"),
        ('["release/"]', "Write 'release/*' for all below it"),
        ('["main", " "]', "no name begins or ends with a blank"),
        ('["[main"]', "its [ has no ]"),
        ('"main"', 'write a list of branches and tags, as in tell_channel = ["main", "release/*"]'),
        ("true", "write a list of branches and tags"),
    ],
)
def test_patterns_that_nothing_fits_are_refused_at_the_start(tmp_path: Path, value: str, wrong: str) -> None:
    path = tmp_path / "projects.toml"
    path.write_text(f'[projects.web]\nslug = "gh/acme/frontend"\ntell_channel = {value}\n')
    with pytest.raises(BadSettings) as bad:
        load_projects(path)
    (found,) = checkup.settings(bad.value.problems)  # as the doctor has it
    assert found.what == "PROJECTS_FILE"
    assert "projects.web.tell_channel" in found.found
    assert wrong in found.found
    path.write_text('[projects.web]\nslug = "gh/acme/frontend"\ntell_channel = ["main", "release/*", "!release/1.*"]\n')
    assert load_projects(path).projects["web"].tell_channel == ("main", "release/*", "!release/1.*")


def test_which_jobs_deploy_is_said_by_their_names(tmp_path: Path) -> None:
    path = tmp_path / "projects.toml"
    for value in ('"ship-*"', '[""]'):
        path.write_text(f'[projects.web]\nslug = "gh/acme/frontend"\ndeploy_jobs = {value}\n')
        with pytest.raises(BadSettings, match="deploy_jobs"):
            load_projects(path)
    path.write_text('[projects.web]\nslug = "gh/acme/frontend"\ndeploy_jobs = ["ship-*"]\n')
    found = load_projects(path)
    assert (found.deploy_jobs("gh/acme/frontend"), found.deploy_jobs("gh/acme/web")) == (("ship-*",), ("deploy*",))


def test_secrets_do_not_stay_where_libraries_and_children_find_them(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "SLACK_SIGNING_SECRET": "s" * 32,
        "REDIS_URL": "redis://r",
        "MASK_VALUES": "hunter22",
        "slack_app_token": "x",
    }
    set_up(monkeypatch, SLACK_APP_TOKEN=None, **given)
    monkeypatch.setenv("PORT", "3001")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", "of another way to install")
    empty_environment()
    seen = subprocess.run(["env"], capture_output=True, check=True, text=True).stdout
    assert "PORT=3001" in seen
    for name in ("SLACK_BOT_TOKEN", "SLACK_CLIENT_SECRET", "CIRCLECI_TOKEN", *given):
        assert f"{name}=" not in seen
