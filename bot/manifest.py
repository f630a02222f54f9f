"""The app's manifest, as Slack wants it: https://docs.slack.dev/reference/app-manifest ."""

from pathlib import Path
from typing import Any

import yaml

from bot.models.addresses import reached_at

FILE = Path(__file__).parents[1] / "manifest.yml"


def text() -> str:
    """Return the manifest for Socket Mode, with its comments."""
    return FILE.read_text(encoding="utf-8")


def scopes() -> frozenset[str]:
    """Return the scopes the bot token needs."""
    return frozenset(yaml.safe_load(text())["oauth_config"]["scopes"]["bot"])


def optional_scopes() -> frozenset[str]:
    """Return the scopes that an installation may refuse."""
    return frozenset(yaml.safe_load(text())["oauth_config"]["scopes"]["bot_optional"])


def for_http(address: str) -> str:
    """Return the manifest for HTTP mode behind a public address; ValueError for one that Slack would not take."""
    try:
        events = f"{reached_at(address)}/slack/events"
    except ValueError as error:
        raise ValueError(
            f"the URL is no https address without a path, such as https://ci.example.com: {error}"
        ) from None
    manifest: dict[str, Any] = yaml.safe_load(text())
    for command in manifest["features"]["slash_commands"]:
        command["url"] = events
    settings = manifest["settings"]
    settings["event_subscriptions"] = {"request_url": events, **settings["event_subscriptions"]}
    settings["interactivity"]["request_url"] = events
    settings["socket_mode_enabled"] = False
    return yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True)
