"""Small words: states with their marks, durations as a person says them, counts, lists, refs."""

from collections.abc import Sequence
from datetime import timedelta

from bot.models.build import Build, State
from bot.models.circleci import Ref
from formatters.blocks import literal

MARKS = {
    State.WAITING: "⏳ Waiting",
    State.RUNNING: "🔵 Running",
    State.ON_HOLD: "⏸️ On hold",
    State.UNKNOWN: "❔ Unknown",
    State.PASSED: "✅ Passed",
    State.FAILED: "❌ Failed",
    State.CANCELED: "🚫 Cancelled",
    State.SUPERSEDED: "↪️ Superseded",
    State.COULD_NOT_RUN: "⚠️ Could not run",
}
_STATUS_MARKS = {
    "success": "✅ passed",
    "failed": "❌ failed",
    "failing": "❌ failing",
    "running": "🔵 running",
    "on_hold": "⏸️ on hold",
    "queued": "⏳ queued",
    "canceled": "🚫 cancelled",
    "error": "⚠️ error",
    "unauthorized": "⚠️ unauthorized",
    "not_run": "⏳ not run",
    "blocked": "⏳ blocked",
    "not_running": "⏳ queued",
    "scheduled": "⏳ queued",
    "fixed": "✅ fixed",
    "no_tests": "✅ passed without tests",
    "retried": "↻ retried",
    "timedout": "❌ timed out",
    "infrastructure_fail": "⚠️ machine lost",
    "terminated-unknown": "⚠️ machine lost",
}


def status(name: str) -> str:
    """Return a workflow's or job's status with its mark; one nobody has heard of as itself."""
    return _STATUS_MARKS.get(name, f"❔ {literal(name, 60)}")


def duration(span: timedelta) -> str:
    """Return a span as a person says it; never negative."""
    seconds = max(int(span.total_seconds()), 0)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days >= 2:
        return f"{days} days"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"


def so_far(span: timedelta) -> str:
    """Return a running span in minutes: a message that changes at each look helps nobody, and Slack counts edits."""
    minutes = max(int(span.total_seconds()), 0) // 60
    return "under a minute" if minutes < 1 else duration(timedelta(minutes=minutes)).removesuffix(" 0 s")


def count(number: int, noun: str) -> str:
    """Return `1 job`, `3 jobs`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(names: Sequence[str], most: int = 4) -> str:
    """Return foreign names with commas, the first few of them."""
    shown = [literal(name, 80) for name in names[:most]]
    return ", ".join(shown) + (f" and {len(names) - most} more" if len(names) > most else "")


def ref_words(ref: Ref | None, build: Build | None = None) -> str:
    """Return the branch or tag, or the short revision where CircleCI names neither."""
    ref = (build.pipeline.ref if build else None) or ref
    if ref is not None:
        return f"tag {literal(ref.name)}" if ref.is_tag else literal(ref.name)
    revision = build.pipeline.revision if build else ""
    return literal(revision[:7]) or "unknown ref"
