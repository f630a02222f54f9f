"""Structured logs on standard output, with what is secret taken out before it is written."""

import logging
import re
import sys
import time
from collections.abc import MutableMapping
from typing import Any

import structlog

# Slack's tokens, hooks and socket tickets, CircleCI's personal tokens, and those of our agents.
_SECRET = re.compile(
    r"xox[abeprs]-[\w-]+|xapp-[\w-]+|CCIPAT_\w+|\bcia_[\w-]{43,}|(?<=circle-token=)[^&\s\"']+"
    r"|https://hooks\.slack(?:-gov)?\.com/\S+|wss?://\S+|(?<=Bearer )\S+",
    re.IGNORECASE,
)
# These write whole bodies, signatures or addresses at INFO and DEBUG (slack_sdk/web, slack_bolt/middleware).
_TOO_TALKATIVE = ("slack_bolt", "slack_sdk", "httpx", "httpcore", "aiohttp", "docket", "mcp")


QUIET_SECONDS = 60
_log = structlog.get_logger(__name__)


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
    for name in ("docket.worker", "docket.strikelist"):
        logging.getLogger(name).addFilter(_OnceInAWhile())
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


class Outage:
    """The far side of `name`, as the log tells it: one line when an outage begins, one when it ends.

    It begins with the `after`th failure in a row.
    """

    def __init__(self, name: str, *, after: int = 1) -> None:
        self._name = name
        self._after = after
        self._failures = 0
        self._since = 0.0

    @property
    def lasts(self) -> bool:
        """Say whether it has failed since it last worked."""
        return self._failures > 0

    def failed(self, error: object) -> None:
        """Count a failure."""
        if not self._failures:
            self._since = time.monotonic()
        self._failures += 1
        if self._failures == self._after:
            _log.warning("outage_begins", of=self._name, error=str(error))

    def worked(self) -> None:
        """Note that it works."""
        if self._failures >= self._after:
            _log.info("outage_ends", of=self._name, seconds=round(time.monotonic() - self._since))
        self._failures = 0


class _OnceInAWhile(logging.Filter):
    """Let docket say now and then that Redis is away, in a line, and not each second with a page of traceback."""

    def __init__(self) -> None:
        super().__init__()
        self._quiet_until = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Drop what repeats."""
        if not record.getMessage().startswith(("Redis is unavailable", "Redis error in")):
            return True
        record.exc_info = record.exc_text = None
        now = time.monotonic()
        said_lately, self._quiet_until = now < self._quiet_until, max(self._quiet_until, now + QUIET_SECONDS)
        return not said_lately


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace what looks like a credential in every value of a log line."""
    return {key: without_secrets(str(value)) if value is not None else None for key, value in event.items()}


def without_secrets(text: str) -> str:
    """Return `text` with tokens, hook addresses and tickets replaced."""
    return _SECRET.sub("[redacted]", text)
