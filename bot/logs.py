"""Structured logs on standard output, with what is secret taken out before it is written."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# Slack's tokens, hooks and socket tickets, and CircleCI's personal tokens.
_SECRET = re.compile(
    r"xox[abeprs]-[\w-]+|xapp-[\w-]+|CCIPAT_\w+|(?<=circle-token=)[^&\s\"']+"
    r"|https://hooks\.slack(?:-gov)?\.com/\S+|wss?://\S+|(?<=Bearer )\S+",
    re.IGNORECASE,
)
# These write whole bodies, signatures or addresses at INFO and DEBUG (slack_sdk/web, slack_bolt/middleware).
_TOO_TALKATIVE = ("slack_bolt", "slack_sdk", "httpx", "httpcore", "aiohttp", "docket")


def configure(level: str) -> None:
    """Set up logging; call it before Bolt is built, which copies levels then."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact,
                structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _TOO_TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace what looks like a credential in every value of a log line."""
    return {key: without_secrets(str(value)) if value is not None else None for key, value in event.items()}


def without_secrets(text: str) -> str:
    """Return `text` with tokens, hook addresses and tickets replaced."""
    return _SECRET.sub("[redacted]", text)
