"""The documents say what is true: every setting, command and button, and every example parses."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram

from bot import metrics
from bot.__main__ import _parser
from bot.manifest import for_http
from bot.policy import Rule, Word, parse
from bot.routing import Router
from bot.settings import Settings
from bot.version import VERSION
from commands import register
from tests.lines.reading import does, heard

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
SETUP = (ROOT / "docs" / "setup.md").read_text(encoding="utf-8")
MANIFEST = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))


def settings_table() -> str:
    """Return the README's table of settings, from the settings themselves."""
    rows = ["| Name | Default | What it is |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = "required" if field.is_required() else "" if field.default in (None, ()) else f"`{field.default}`"
        rows.append(f"| `{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows)


def test_the_readme_lists_every_setting() -> None:
    found = re.search(r"<!-- settings: .*? -->\n(.*?)\n?<!-- /settings -->", README, re.DOTALL)
    assert found
    assert found[1].strip() == settings_table()


# As it is typed, and as it is copied out of a message with the marks around it.
TYPED = ("{}", "`{}`", "```{}```", "`{}`.", "/ci {}", "`/ci {}`")


def examples() -> list[str]:
    """Return what the documents and the help say that one can type; what has a gap to be filled in is none."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *DOCS.glob("*.md"))]
    found = [line for text in texts for line in re.findall(r"`/ci ([^`\n]+)`", text)]
    commands = register(Router()).commands
    found += [text for one in commands.values() for text in (one.help.example, *one.help.phrases)]
    whole = [text for text in found if not {"<", "…", "["} & set(text) and text != "may"]
    return sorted({text for text in whole if text.split(" ")[0] in commands})


def test_every_example_can_be_typed_and_pasted_everywhere() -> None:
    known = examples()
    assert len(known) > 60
    for text in known:
        plain = does(text)
        assert not plain.startswith("no: "), (text, plain)
        for how in ("slash", "mention", "thread", "direct"):
            assert {does(heard(how, form.format(text))) for form in TYPED} == {plain}, (how, text)


def test_the_rows_of_the_tables_are_among_the_examples() -> None:
    rows = [line for line in (README + COMMANDS).split("\n") if line.startswith("| `/ci ")]
    assert len(rows) > len(register(Router()).commands)
    assert {re.findall(r"`/ci ([^`]*)`", row)[0] for row in rows} <= set(examples())


def test_every_command_has_a_row_and_the_readme_shows_some_of_them() -> None:
    rows = re.findall(r"^\| `/ci .*$", COMMANDS, re.MULTILINE)
    assert {row.split()[2].rstrip("`") for row in rows} == set(register(Router()).commands)
    shown = re.findall(r"^\| `/ci .*$", README, re.MULTILINE)
    assert 5 <= len(shown) <= 8
    assert set(shown) <= set(rows)


BOTH_MANIFESTS = pytest.mark.parametrize(
    "manifest", [MANIFEST, yaml.safe_load(for_http("https://ci.example.com"))], ids=["socket", "http"]
)
TEXT, FLAG = {"type": "string"}, {"type": "boolean"}
SCOPES = {"type": "array", "items": TEXT, "uniqueItems": True}


def shape(*required: str, **known: Mapping[str, object]) -> dict[str, object]:
    """Return a JSON schema of an object with these fields and no others."""
    return {"type": "object", "properties": known, "required": list(required), "additionalProperties": False}


# https://docs.slack.dev/reference/app-manifest : the parts we use, and nothing else.
ADDRESS = {"type": "string", "pattern": "^https://"}
COMMAND = shape(
    "command",
    "description",
    command={"type": "string", "pattern": "^/", "minLength": 2, "maxLength": 32},
    description={"type": "string", "maxLength": 2000},
    usage_hint={"type": "string", "maxLength": 1000},
    should_escape=FLAG,
    url=ADDRESS,
)
SCHEMA = shape(
    "display_information",
    "features",
    "oauth_config",
    "settings",
    _metadata=shape("major_version", major_version={"const": 2}),
    display_information=shape(
        "name",
        name={"type": "string", "maxLength": 35},
        description={"type": "string", "maxLength": 140},
        background_color={"type": "string", "pattern": "^#[0-9a-f]{6}$"},
    ),
    features=shape(
        app_home=shape(home_tab_enabled=FLAG, messages_tab_enabled=FLAG, messages_tab_read_only_enabled=FLAG),
        bot_user=shape("display_name", display_name={"type": "string", "maxLength": 80}, always_online=FLAG),
        slash_commands={"type": "array", "items": COMMAND, "maxItems": 50},
    ),
    oauth_config=shape(scopes=shape(bot=SCOPES, bot_optional=SCOPES)),
    settings=shape(
        event_subscriptions=shape(
            request_url=ADDRESS, bot_events={"type": "array", "items": TEXT, "maxItems": 100, "uniqueItems": True}
        ),
        interactivity=shape("is_enabled", is_enabled=FLAG, request_url=ADDRESS),
        org_deploy_enabled=FLAG,
        socket_mode_enabled=FLAG,
        token_rotation_enabled=FLAG,
    ),
)


@BOTH_MANIFESTS
def test_the_manifest_is_one_that_slack_takes(manifest: dict[str, Any]) -> None:
    jsonschema.validate(manifest, SCHEMA)
    addresses = json.dumps(manifest).count("https://ci.example.com/slack/events")
    assert addresses == (0 if manifest["settings"]["socket_mode_enabled"] else 3)


def test_the_manifest_covers_the_code() -> None:
    (command,) = MANIFEST["features"]["slash_commands"]
    assert command["command"] == "/ci"
    assert set(MANIFEST["settings"]["event_subscriptions"]["bot_events"]) == {
        "app_home_opened",
        "app_mention",
        "message.im",
    }
    assert set(MANIFEST["oauth_config"]["scopes"]["bot"]) == {
        "app_mentions:read",
        "channels:read",
        "chat:write",
        "commands",
        "files:write",
        "groups:read",
        "im:history",
        "im:write",
        "users:read",
    }
    assert set(MANIFEST["oauth_config"]["scopes"]["bot_optional"]) == {
        "channels:history",
        "groups:history",
        "reactions:write",
        "usergroups:read",
        "users:read.email",
    }


def test_the_procfile_names_both_roles() -> None:
    lines = (ROOT / "Procfile").read_text().splitlines()
    assert lines == ["web: python -m bot web", "worker: python -m bot worker"]


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", *(f"docs/{path.name}" for path in DOCS.glob("*.md"))])
def test_every_link_between_documents_leads_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)]+)\)|(?:src|srcset)=\"([^\"]+)\"", text):
        path, _, heading = (target[0] or target[1]).partition("#")
        if path.startswith("http"):
            continue
        file = (ROOT / name).parent / path if path else ROOT / name
        assert file.exists(), target
        assert not heading or heading in _anchors(file.read_text(encoding="utf-8")), target


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_every_command_line_of_the_setup_is_understood() -> None:
    lines = re.findall(r"python -m bot((?: [a-z][a-z-]*(?:\.toml)?| --http \S+?| --json)*)[`\s]", SETUP)
    assert len(lines) >= 8
    assert " commands --json" in lines
    for line in lines:
        _parser().parse_args([word.rstrip("`.") for word in line.split()])


def test_the_settings_of_the_setup_are_complete_and_real() -> None:
    block = re.findall(r"# ci-chatops.env\n(.*?)```", SETUP, re.DOTALL)[0]
    given = dict(line.split("=", 1) for line in block.split())
    Settings.model_validate({name.lower(): value for name, value in given.items()})
    named = set(re.findall(r"`?([A-Z]+(?:_[A-Z]+)+)`?=?", SETUP))
    known = {name.upper() for name in Settings.model_fields}
    assert named - known == {"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE"}  # every program's own


def test_the_setup_names_every_scope() -> None:
    scopes = MANIFEST["oauth_config"]["scopes"]
    for scope in (*scopes["bot"], *scopes["bot_optional"]):
        assert f"`{scope}`" in SETUP


def test_the_version_stands_in_one_place() -> None:
    known = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert known == VERSION
    with pytest.raises(SystemExit):
        _parser().parse_args(["--version"])


def test_the_outcomes_of_the_figures_are_those_that_are_counted() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "bot").rglob("*.py"))
    for figure, ours in {"DEPLOYS": "ci_deploys_total", "CONNECTIONS_DROPPED": "ci_connections_dropped_total"}.items():
        counted = set(re.findall(rf'metrics\.{figure}\.labels\("(\w+)"\)', source))
        (row,) = re.findall(rf"^\| `{ours}` \| (.*) \|$", SETUP, re.MULTILINE)
        assert counted
        assert {outcome for outcome in counted if not re.search(rf"\b{outcome}\b", row)} == set()


def test_the_changelog_tells_of_this_version_and_tells_nothing_twice() -> None:
    told = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+)(?: - \d{4}-\d\d-\d\d)?$", told, re.MULTILINE)[:2] == ["Unreleased", VERSION]
    entries = re.findall(r"^- .*$", told, re.MULTILINE)
    assert len(entries) == len(set(entries))


def test_every_figure_is_explained() -> None:
    ours = [one for one in vars(metrics).values() if isinstance(one, Counter | Gauge | Histogram)]
    names = {_exposed(family.name, family.type) for one in ours for family in one.collect()}
    assert names == set(re.findall(r"^\| `(ci_\w+)` \|", SETUP, re.MULTILINE))
    (watched,) = re.findall(r"```promql\n(.*?)```", SETUP, re.DOTALL)
    assert len(watched.splitlines()) == 4
    assert set(re.findall(r"\b(ci_\w+?)(?:_bucket)?\b", watched)) <= names


def _exposed(name: str, kind: str) -> str:
    return f"{name}_total" if kind == "counter" else name


@pytest.mark.parametrize(
    ("page", "least"),
    [("reliability.md", 50), ("security.md", 20), ("policy.md", 12), ("words.md", 7), ("commands.md", 5)],
)
def test_what_is_promised_is_tested(page: str, least: int) -> None:
    told = (DOCS / page).read_text(encoding="utf-8")
    rows = re.findall(r"^\| .*\| `([\w/.]+)::(\w+)` \|$", told, re.MULTILINE)
    assert len(rows) >= least
    assert len(rows) == len(re.findall(r"::\w+`", told)), "a test is named outside of a table"
    for path, name in rows:
        source = (ROOT / path).read_text(encoding="utf-8")
        assert re.search(rf"^(?:async )?def {name}\(", source, re.MULTILINE), f"{path}::{name}"


def test_the_figures_were_all_reached_on_a_named_machine() -> None:
    told = (DOCS / "performance.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?!Figure|---).* \|$", told, re.MULTILINE)
    assert len(rows) >= 13
    assert "**no**" not in told
    assert re.search(r"^\w+, \d+ cores, Python 3\.\d+", told, re.MULTILINE)


def test_the_policys_examples_are_a_policy_and_every_key_is_explained() -> None:
    told = (DOCS / "policy.md").read_text(encoding="utf-8")
    examples = re.findall(r"```toml\n(.*?)```", told, re.DOTALL)
    assert [len(parse(example).rules) for example in examples] == [8, 4, 2]  # one that demands is told apart
    assert "[[rules]]" not in re.sub(r"```toml\n.*?```", "", told, flags=re.DOTALL)
    explained = {
        key for row in re.findall(r"^\| (`.*?`) \|", told, re.MULTILINE) for key in re.findall(r"`(\w+)`", row)
    }
    assert explained == set(Rule.model_fields)
    assert all(f"`{word}`" in told for word in Word)
