"""The check-up, on a healthy installation and on broken ones, against the playground over real HTTP."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.answers.ourselves import CheckUp
from bot.circleci.keyring import Keyring
from bot.configuration import load_projects
from bot.doctor import examine_alone
from bot.errors import RateLimited, SlackError, SlackLimited, StoreError, Unauthorized, Unavailable
from bot.models.checkup import Finding, Memory, Pulse, Verdict
from bot.models.circleci import User
from bot.models.pace import Pace
from bot.models.refusals import was_answered
from bot.settings import Problem, Settings
from formatters import checkup, far_sides
from formatters.limits import violations
from playground.circleci.api import CircleCI
from playground.circleci.world import default_world
from playground.clock import Clock
from playground.slack.api import Slack
from playground.slack.rules import GRANTED
from playground.slack.workspace import default_workspace
from tests.stories.team import team_at_work

BARE = {"slack_bot_token": "xoxb-1", "circleci_token": "t"}
GIVEN = Settings.model_validate(BARE)
SETUP = Path(__file__).parents[1] / "docs" / "setup.md"


@dataclass
class Installation:
    """Both far sides, and the settings that lead to them."""

    slack: Slack
    circleci: CircleCI
    settings: dict[str, Any]
    problems: list[Problem]

    async def checked(self) -> list[Finding]:
        settings = Settings.model_validate(self.settings)
        return await examine_alone(settings, load_projects(settings.projects_file), self.problems)


@asynccontextmanager
async def installation(folder: Path) -> AsyncIterator[Installation]:
    async with CircleCI(default_world(Clock())) as circleci, Slack(default_workspace(), socket_mode=True) as slack:
        settings = {
            "slack_bot_token": slack.bot_token,
            "slack_app_token": slack.app_token,
            "slack_api_url": slack.url,
            "circleci_token": circleci.token,
            "circleci_url": circleci.url,
            "data_dir": folder / "data",
            "operator_channel": "C0RELEASES",
            "admins": "U0ADMIN",
        }
        yield Installation(slack, circleci, settings, [])


async def test_a_healthy_installation_is_well(tmp_path: Path) -> None:
    async with installation(tmp_path) as healthy:
        findings = await healthy.checked()
    assert {one.verdict for one in findings} == {Verdict.OK}
    told = checkup.terminal(findings)
    for words in ("ci in the workspace acme", "all 9 of the manifest", "#deploys", "acme-bot", "embedded server"):
        assert words in told
    assert told.endswith("All is well.")
    (shown,) = re.findall(r"^```\n(✅.*?)```", SETUP.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    marks_and_names = [[re.split(r" {2,}", line)[:2] for line in text.splitlines()] for text in (shown, told)]
    assert marks_and_names[0] == marks_and_names[1]


async def test_a_policy_file_that_is_well_is_told_with_what_it_has(tmp_path: Path) -> None:
    async with installation(tmp_path) as it:
        _has_policy(it, '[[rules]]\nname = "x"\nwords = ["read"]\n')
        findings = await it.checked()
        (found,) = [one for one in findings if one.what == "Policy file"]
        assert (found.verdict, found.found.endswith("policy.toml has 0 roles, 1 rule")) == (Verdict.OK, True)
        it.problems.append(("POLICY_FILE", "line 3: it is told among the settings"))
        assert [one.what for one in await it.checked() if "olicy" in one.what] == []


SILENT = "http://127.0.0.1:9"


def _no_way_in(it: Installation) -> None:
    it.settings["slack_app_token"] = None
    it.settings["slack_signing_secret"] = "not-a-secret"


def _in_no_channel(it: Installation) -> None:
    it.settings["operator_channel"] = None
    for channel in it.slack.workspace.channels.values():
        channel.members.remove("U0BOT") if "U0BOT" in channel.members else None


BAD_POLICY = '[[rules]]\nname = "x"\nwords = ["rerun"]\ngreen = true\n'


def _has_policy(it: Installation, text: str) -> None:
    file = it.settings["data_dir"].with_name("policy.toml")
    file.write_text(text)
    it.settings["policy_file"] = file


def _has_tokens(it: Installation, mode: int) -> None:
    file = it.settings["data_dir"].with_name("projects.toml")
    file.write_text('[tokens]\n"gh/acme" = "CCIPAT_1"\n')
    file.chmod(mode)
    it.settings["projects_file"] = file


def _names_a_closed_project(it: Installation) -> None:
    _has_policy(it, '[[rules]]\nname = "x"\nwords = ["read"]\nprojects = ["acme/frontend", "acme/legacy", "acme/*"]')
    it.circleci.faults.add("GET", "*/project/gh/acme/legacy", status=403, body={"message": "Closed."})


# What is broken, how it is broken, and what the check-up says of it.
BROKEN: list[tuple[str, Callable[[Installation], object], str]] = [
    ("Bot token", lambda it: it.settings.update(slack_bot_token="xoxb-wrong"), "Slack refuses it: invalid_auth"),
    ("Bot token", lambda it: setattr(it.slack, "token_error", "token_revoked"), "Slack refuses it: token_revoked"),
    ("Bot token", lambda it: it.settings.update(slack_api_url=SILENT), "SLACK_API_URL (no connection)"),
    ("Bot token", lambda it: it.settings.update(slack_api_url="http://no.invalid"), "(its name leads nowhere)"),
    ("Bot token", lambda it: it.settings.update(slack_api_url=it.circleci.url), "not as Slack does (http_401)"),
    ("App token", lambda it: it.settings.update(slack_api_url=SILENT), "does not answer at SLACK_API_URL"),
    ("Channels", lambda it: it.settings.update(slack_api_url=SILENT), "not known: Slack does not answer"),
    ("Projects file", lambda it: _has_tokens(it, 0o644), "other users of this machine may read"),
    ("Optional scopes", lambda it: setattr(it.slack, "scopes", GRANTED - {"groups:history"}), "may make me say"),
    ("Scopes", lambda it: setattr(it.slack, "scopes", GRANTED - {"im:history", "commands"}), "commands, im:history"),
    ("App token", lambda it: it.settings.update(slack_app_token="xapp-wrong"), "Slack refuses it: invalid_auth"),
    ("Signing secret", _no_way_in, "it does not look like one"),
    ("Metrics", _no_way_in, "anybody who reaches PORT reads /metrics"),
    ("Metrics", lambda it: it.settings.update(public_url="https://ci.acme.example"), "anybody who reaches PORT"),
    ("Channels", _in_no_channel, "a member of none yet"),
    ("Operator", lambda it: it.settings.update(operator_channel="C0RANDOM"), "not a member of OPERATOR_CHANNEL"),
    ("Operator", lambda it: it.settings.update(operator_channel=None), "nobody is told"),
    ("CircleCI token", lambda it: it.settings.update(circleci_token="wrong"), "wrong, expired, or a project token"),
    ("CircleCI token", lambda it: it.settings.update(circleci_url="http://127.0.0.1:9"), "does not answer"),
    ("CircleCI token", lambda it: it.settings.update(circleci_url=it.slack.url), "not as CircleCI does"),
    ("Organisations", lambda it: it.circleci.organizations.clear(), "it sees none"),
    ("Redis", lambda it: it.settings.update(redis_url="redis://127.0.0.1:9"), "no connection: is it running?"),
    ("Redis", lambda it: it.settings.update(data_dir=Path(__file__) / "data"), "cannot be created"),
    ("Clock", lambda it: setattr(it.slack, "clock_offset_seconds", -400), "s off Slack's"),
    ("Clock", lambda it: setattr(it.slack, "clock_offset_seconds", 90), "s off Slack's"),
    (
        "Policy file",
        lambda it: it.settings.update(policy_file=Path("/nowhere.toml")),
        "/nowhere.toml: there is no such file",
    ),
    ("Policy file", lambda it: _has_policy(it, BAD_POLICY), "line 3: rules.1.words: green cannot be demanded of rerun"),
    ("Policy rules", lambda it: _has_policy(it, '[[rules]]\nname = "x"\nwords = ["ssh"]'), "No rule lets anybody read"),
    ("Policy names", _names_a_closed_project, "does not show me acme/legacy, which POLICY_FILE names: it says Closed"),
    (
        "POLICY_FILE",
        lambda it: _has_policy(it, '[roles.ops]\nusers = ["U0ADA"]\ngroups = ["S0RELEASE", "S0NOSUCH"]'),
        "Slack knows no user group S0NOSUCH, which POLICY_FILE names",
    ),
    (
        "POLICY_FILE",
        lambda it: _has_policy(it, '[[rules]]\nname = "x"\nwords = ["deploy"]\nchannels = ["C0RANDOM", "C0NOSUCH"]'),
        "Slack shows me no channel C0NOSUCH, which POLICY_FILE names",
    ),
    ("ADMINS", lambda it: it.settings.update(admins="U0ADMIN,U0NOBODY"), "Slack knows no person U0NOBODY, which"),
    ("CIRCLECI_TOKEN", lambda it: it.problems.append(("CIRCLECI_TOKEN", "it is not set")), "it is not set"),
]


@pytest.mark.parametrize(("what", "breaks", "said"), BROKEN, ids=[f"{what}-{said}" for what, _, said in BROKEN])
async def test_what_is_broken_is_named_with_its_fix(
    what: str, breaks: Callable[[Installation], object], said: str, tmp_path: Path
) -> None:
    async with installation(tmp_path) as it:
        breaks(it)
        findings = await it.checked()
    (found,) = [one for one in findings if one.what == what]
    assert found.verdict is not Verdict.OK
    assert said in found.found
    assert found.fix
    assert "xoxb-" not in found.found
    assert violations(checkup.message(CheckUp(findings=tuple(findings)))) == []


@pytest.mark.parametrize(
    ("memory", "verdict", "said"),
    [
        (Memory(version="7.0.15", append_only=True, when_full="noeviction"), Verdict.OK, "kept on disk"),
        (Memory(version="6.2.1", append_only=True, when_full="noeviction"), Verdict.BROKEN, "7.0 or newer"),
        (Memory(version="", append_only=True, when_full="noeviction"), Verdict.BROKEN, "7.0 or newer"),
        (Memory(version="8.0.0", append_only=True, when_full="allkeys-lru"), Verdict.BROKEN, "throws keys away"),
        (Memory(version="8.0.0", append_only=False, when_full="noeviction"), Verdict.LOOK, "a restart may lose"),
    ],
)
def test_a_server_is_judged_by_what_it_would_forget(memory: Memory, verdict: Verdict, said: str) -> None:
    (found,) = checkup.memory(GIVEN, memory)
    assert found.verdict is verdict
    assert said in found.found


@pytest.mark.parametrize(
    ("setting", "pace", "said"),
    [
        (0, None, "3 pipelines followed, no limit"),
        (10, None, "3 pipelines followed, 10 requests a second"),
        (None, None, "10 requests a second for the moment: CircleCI has not asked for fewer"),
        (None, Pace(rate=1000, since=98), "1000 requests a second for the moment: CircleCI has not asked for fewer"),
        (None, Pace(rate=10, since=98), "40 requests a second for the moment: CircleCI has not asked for fewer"),
        (
            None,
            Pace(rate=1.25, since=98, halvings=1),
            "3.25 requests a second for the moment: CircleCI asked me to slow",
        ),
        (
            10,
            Pace(rate=5, since=98, halvings=2),
            "7 requests a second for the moment: CircleCI asked me to slow down 2",
        ),
    ],
)
def test_how_often_circleci_is_asked_is_told_with_the_reason(
    setting: float | None, pace: Pace | None, said: str
) -> None:
    given = Settings.model_validate({**BARE, "circleci_requests_per_second": setting})
    pulse = Pulse(watching=3, pace=pace, now=100)
    (found,) = checkup.pulse(given, Memory(version="8", append_only=True, when_full="noeviction", pulse=pulse), {})
    assert (found.what, found.verdict) == ("Budgets", Verdict.OK)
    assert said in found.found


def test_a_pause_is_told_with_whose_token_it_is_about() -> None:
    keys = Keyring(SecretStr("OURS"), {"gh/other": SecretStr("THEIRS")})
    paused = dict.fromkeys((f"circleci:{keys.whose('THEIRS')}", "slack:posts:C0"), timedelta(seconds=30))
    kept = Memory(version="8", append_only=True, when_full="noeviction", pulse=Pulse(paused=paused))
    (found,) = checkup.pulse(Settings.model_validate(BARE), kept, keys.marked)
    assert found.found.startswith("asked to be left alone: circleci with the token of gh/other for 30 s, slack:")


@pytest.mark.parametrize(
    ("secret", "address", "verdict", "said"),
    [
        (None, None, Verdict.OK, "not set up"),
        ("s", None, Verdict.LOOK, "a secret is set, but no address"),
        (None, "https://ci.example.com", Verdict.LOOK, "an address is set, but no secret"),
        ("s", "https://ci.example.com", Verdict.OK, "taken at https://ci.example.com/circleci/webhook"),
    ],
)
def test_webhooks_that_are_half_set_up_are_told(
    secret: str | None, address: str | None, verdict: Verdict, said: str
) -> None:
    given = Settings.model_validate({**BARE, "circleci_webhook_secret": secret, "public_url": address})
    (found,) = checkup.webhook(given)
    assert (found.verdict, said in found.found, bool(found.fix)) == (verdict, True, verdict is Verdict.LOOK)


@pytest.mark.parametrize(
    ("address", "verdict", "said"),
    [
        (None, Verdict.LOOK, "from this machine alone"),
        ("https://ci.example.com", Verdict.OK, "let in at https://ci.example.com/mcp, and"),
    ],
)
def test_where_agents_are_let_in_is_told(address: str | None, verdict: Verdict, said: str) -> None:
    given = Settings.model_validate({**BARE, "agents": True, "public_url": address})
    (found,) = checkup.agents(given)
    assert (found.verdict, said in found.found, bool(found.fix)) == (verdict, True, verdict is Verdict.LOOK)
    assert [one.verdict for one in checkup.webhook(given)] == [Verdict.OK]  # the address is for agents then
    assert not [*checkup.agents(Settings.model_validate(BARE))]


async def test_an_admin_is_told_in_slack_and_nobody_else(tmp_path: Path) -> None:
    async with team_at_work(tmp_path, admins=("U0ADMIN",)) as team:
        await team.ada.command("deploys", "/ci", "doctor")
        await team.is_told(team.ada, "You may not use what is for my admins here: only my admins may (admin).")
        admin = team.slack.person("admin")
        await admin.command("deploys", "/ci", "doctor")
        told = await team.is_told(admin, "All is well.")
        assert "kept on disk" in told.visible
    async with team_at_work(tmp_path / "another") as team:
        await team.ada.command("deploys", "/ci", "doctor")
        await team.is_told(team.ada, "ADMINS, which is not set")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (SlackError("auth.test", "ClientConnectorDNSError"), "SLACK_API_URL (its name leads nowhere)\n    -> let this"),
        (SlackError("auth.test", "ClientConnectorCertificateError"), "not one that I trust)\n    -> who signed it"),
        (SlackError("auth.test", "ClientHttpProxyError"), "does not let me through)\n    -> look at HTTPS_PROXY"),
        (SlackError("auth.test", "http_503"), "Slack is in trouble (http_503)\n    -> wait for it"),
        (SlackError("auth.test", "ratelimited"), "Slack asks to slow down\n    -> ask again in a minute"),
        (SlackError("auth.test", "fatal_error"), "not do it for the moment (fatal_error)\n    -> ask again"),
        (
            SlackError("auth.test", "org_login_required"),
            "Slack refuses it: org_login_required\n    -> python -m bot doctor",
        ),
        (StoreError("the embedded server stopped"), "the embedded server stopped"),
    ],
)
def test_who_starts_it_reads_why_it_does_not(error: Exception, said: str) -> None:
    assert said in far_sides.why_not_started(error, GIVEN)


def test_who_starts_it_without_its_redis_reads_which_setting_names_it() -> None:
    given = GIVEN.model_copy(update={"redis_url": SecretStr("redis://r")})
    said = far_sides.why_not_started(StoreError("Redis: no connection: is it running?"), given)
    assert said.startswith("Redis: no connection: is it running?\n    -> redis://host:6379/0")


def test_what_passes_is_not_called_broken() -> None:
    given = Settings.model_validate({**BARE, "slack_app_token": "xapp-1"})
    (app_token,) = far_sides.way_in(given, SlackLimited("apps.connections.open", timedelta(seconds=30)))
    assert (app_token.verdict, app_token.found) == (Verdict.LOOK, "not known: Slack asks to slow down")
    limited = RateLimited(timedelta(seconds=30))
    for found in far_sides.circleci(given, {"": limited, "gh/acme": limited}, limited):
        assert (found.verdict, found.found) == (Verdict.LOOK, "not known: CircleCI asks to slow down")


async def test_of_what_is_wrong_in_the_settings_nothing_more_is_said_or_asked(tmp_path: Path) -> None:
    async with installation(tmp_path) as it:
        wrong = ("SLACK_BOT_TOKEN", "REDIS_URL", "CIRCLECI_TOKEN", "OPERATOR_CHANNEL", "PUBLIC_URL", "METRICS_TOKEN")
        it.problems += [(name, "it is wrong") for name in wrong]
        findings = await it.checked()
    assert [one.what for one in findings if one.verdict is not Verdict.OK] == list(wrong)
    assert [one.what for one in findings if one.verdict is Verdict.OK] == ["Version", "App token"]


def test_a_token_that_nobody_could_ask_about_is_not_called_refused() -> None:
    away, refused = Unavailable("the proxy does not answer"), Unauthorized("You must log in first.")
    ours = User(id="1", login="acme-bot", name="Acme Bot")
    (default,) = far_sides.circleci(GIVEN, away, away)
    assert default.fix.startswith("look at HTTPS_PROXY")
    found = {one.what: one for one in far_sides.circleci(GIVEN, {"": ours, "gh/a": away, "gh/b": refused}, away)}
    assert found["Token of gh/a"].found == "CircleCI does not answer at CIRCLECI_URL (the proxy does not answer)"
    assert found["Token of gh/b"].found == "CircleCI does not accept it: wrong, expired, or a project token"
    assert found["Organisations"].found == "not known: CircleCI does not say (the proxy does not answer)"


@pytest.mark.parametrize(
    ("reason", "url", "fix"),
    [
        (
            "no connection",
            "https://circleci.com",
            "let this machine reach circleci.com; behind a proxy set HTTPS",
        ),
        (
            "its name leads nowhere",
            "http://ci.corp:8080",
            "let this machine reach ci.corp; behind a proxy set HTTP_",
        ),
        ("the proxy does not answer", "http://ci.corp", "look at HTTP_PROXY"),
        ("the proxy's name leads nowhere", "https://circleci.com", "look at HTTPS_PROXY"),
        ("its certificate is not one that I trust", "https://ci.corp", "who signed it is unknown here"),
        ("Bad Gateway", "https://circleci.com", "wait for it: status.circleci.com"),
    ],
)
def test_a_circleci_that_is_not_reached_has_the_fix_of_its_kind(reason: str, url: str, fix: str) -> None:
    given = Settings.model_validate({**BARE, "circleci_url": url})
    away = Unavailable(reason)
    assert [one.fix.startswith(fix) for one in far_sides.circleci(given, away, away)] == [True]


@pytest.mark.parametrize(
    ("code", "ours"),
    [("invalid_auth", True), ("http_404", False), ("TimeoutError", False), ("not_allowed_token_type", True)],
)
def test_only_slacks_own_code_is_a_refusal(code: str, ours: bool) -> None:
    assert was_answered(code) is ours


async def run(*arguments: str, **environment: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, wrong = await process.communicate()
    return process.returncode, out.decode(), wrong.decode()


async def test_the_command_checks_what_it_can_though_settings_are_missing(tmp_path: Path) -> None:
    async with installation(tmp_path) as it:
        known = {"SLACK_BOT_TOKEN": it.slack.bot_token, "SLACK_API_URL": it.slack.url, "DATA_DIR": str(tmp_path)}
        code, told, wrong = await run("doctor", **known, CIRCLECI_URL=it.circleci.url)
        assert (code, wrong) == (1, "")
        assert told.startswith("❌ broken  CIRCLECI_TOKEN ")
        assert "❌ broken  SLACK_APP_TOKEN " in told
        assert "ci in the workspace acme" in told
        known |= {"SLACK_APP_TOKEN": it.slack.app_token, "CIRCLECI_TOKEN": it.circleci.token}
        code, told, _ = await run("doctor", **known, CIRCLECI_URL=it.circleci.url)
        assert code == 0
        assert told.endswith("Nothing is broken; 1 thing to look at.\n")


async def test_the_manifest_is_printed_for_both_ways() -> None:
    code, socket, _ = await run("manifest")
    assert (code, "socket_mode_enabled: true" in socket) == (0, True)
    code, http, _ = await run("manifest", "--http", "https://ci.example.com/")
    assert (code, http.count("https://ci.example.com/slack/events")) == (0, 3)
    code, _, wrong = await run("manifest", "--http", "http://ci.example.com/bot")
    assert (code, "is no https address without a path" in wrong) == (2, True)
