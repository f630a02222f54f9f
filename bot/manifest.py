"""The app's manifest, as Slack wants it: https://docs.slack.dev/reference/app-manifest ."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

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
    url = urlsplit(address.rstrip("/"))
    if url.scheme != "https" or not url.hostname or url.path or url.query or url.fragment:
        raise ValueError(f"{address} is no https address without a path, such as https://ci.example.com")
    events = f"https://{url.netloc}/slack/events"
    manifest: dict[str, Any] = yaml.safe_load(text())
    for command in manifest["features"]["slash_commands"]:
        command["url"] = events
    settings = manifest["settings"]
    settings["event_subscriptions"] = {"request_url": events, **settings["event_subscriptions"]}
    settings["interactivity"]["request_url"] = events
    settings["socket_mode_enabled"] = False
    return yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True)
