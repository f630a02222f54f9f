"""The documents say what is true: every setting, command and button, and every example parses."""

import re
from pathlib import Path

import yaml

from bot.grammar import split
from bot.routing import Router
from bot.settings import Projects, Settings
from commands import register

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
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


def test_every_example_parses() -> None:
    router = register(Router())
    examples = re.findall(r"`/ci ([^`]*)`", README)
    examples += [text for one in router.commands.values() for text in (one.help.example, *one.help.phrases)]
    known = [text for text in examples if text.split(" ")[0] in router.commands]
    assert len(known) >= 5
    for text in known:
        command, rest = router.find(split(text), typed=text)
        command.parse(rest, Projects())


def test_every_command_is_in_the_readme() -> None:
    for name in register(Router()).commands:
        assert f"`/ci {name}" in README


def test_the_manifest_keeps_slacks_limits_and_covers_the_code() -> None:
    display, settings = MANIFEST["display_information"], MANIFEST["settings"]
    (command,) = MANIFEST["features"]["slash_commands"]
    assert len(display["name"]) <= 35
    assert len(display["description"]) <= 140
    assert len(command["description"]) <= 2000
    assert command["command"] == "/ci"
    assert set(settings["event_subscriptions"]["bot_events"]) == {"app_home_opened", "app_mention", "message.im"}
    assert settings["interactivity"]["is_enabled"]
    assert set(MANIFEST["oauth_config"]["scopes"]["bot"]) == {
        "app_mentions:read",
        "chat:write",
        "commands",
        "im:history",
        "im:write",
        "users:read",
    }


def test_the_procfile_names_both_roles() -> None:
    lines = (ROOT / "Procfile").read_text().splitlines()
    assert lines == ["web: python -m bot web", "worker: python -m bot worker"]
