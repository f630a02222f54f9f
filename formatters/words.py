"""Small words: states with their marks, durations as a person says them, counts, lists, refs."""

from collections.abc import Sequence
from datetime import timedelta

from bot.models.build import Build, State
from bot.models.circleci import Ref
from bot.models.subscription import named_in
from formatters.blocks import literal, moment
from formatters.unseen import unseen

WORTH_SAYING = timedelta(seconds=10)
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
LEAST_IN_COMMON = 12  # characters, before they are worth taking out
FINISHING = "🔵 Finishing"  # all that has begun is over, and more may come by itself
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
    "not_run": "➖ not run",
    "blocked": "➖ blocked",
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
    """Return a span as a person says it, in its two greatest units; never negative."""
    seconds = max(int(span.total_seconds()), 0)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days >= 7:
        return f"{days} days"
    if days >= 2:
        return _two(f"{days} days", hours % 24, "h")
    return _two(f"{hours} h", minutes % 60, "min") if hours else _two(f"{minutes} min", seconds % 60, "s", seconds)


def _two(greater: str, rest: int, unit: str, seconds: int = 60) -> str:
    if seconds < 60:
        return f"{seconds} s"
    return f"{greater} {rest} {unit}" if rest else greater


def took(build: Build) -> str:
    """Return how long a build took; what it waited for people, if that is worth saying, is counted apart."""
    held = build.on_hold
    if held < WORTH_SAYING:
        return duration(build.elapsed)
    return f"{duration(build.elapsed - held)}, plus {duration(held)} on hold"


def how_long(build: Build) -> str:
    """Return how long a build took, or since when it waits, or how long it has run so far."""
    if build.stopped_at:
        return took(build)
    if build.state is State.ON_HOLD and build.on_hold_since:
        return f"on hold since {moment(build.on_hold_since)}"
    return f"{so_far(build.elapsed)} so far"


def so_far(span: timedelta) -> str:
    """Return a running span in minutes: a message that changes at each look helps nobody, and Slack counts edits."""
    minutes = max(int(span.total_seconds()), 0) // 60
    return "under a minute" if minutes < 1 else duration(timedelta(minutes=minutes))


def count(number: int, noun: str) -> str:
    """Return `1 job`, `3 jobs`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(names: Sequence[str], most: int = 4) -> str:
    """Return foreign names with commas, the first few of them; what many have in common is said once."""
    common, own = in_common(names) if len(names) > most else ("", names)
    shown = [literal(name, 80, name=True) for name in own[:most]]
    said = f"{literal(common, 80, name=True)}: " if common else ""
    return said + ", ".join(shown) + (f" and {len(names) - most} more" if len(names) > most else "")


def in_common(names: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Return what all names begin and end with, with `…` for the rest, and that rest of each.

    Empty text, and the names as they are, where that is little: only whole words are taken out.
    """
    before = _whole_words(_same(names))
    rest = [name[len(before) :] for name in names]
    after = _whole_words(_same([name[::-1] for name in rest]))[::-1]
    own = [name[: len(name) - len(after)] for name in rest]
    if len(before) + len(after) < LEAST_IN_COMMON or not all(own):
        return "", names
    return f"{before}…{after}", own


def _same(names: Sequence[str]) -> str:
    """Return what all names begin with: what the first and the last by letters do."""
    first, last = min(names), max(names)
    same = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return first[:same]


def _whole_words(text: str) -> str:
    """Return the beginning of a text up to where a word of it ends."""
    return text[: max((text.rfind(mark) + 1 for mark in " /._-:"), default=0)]


def ref_words(ref: Ref | None, build: Build | None = None) -> str:
    """Return the branch or tag, or the short revision where CircleCI names neither."""
    ref = (build.pipeline.ref if build else None) or ref
    if ref is not None:
        return f"tag {literal(ref.name)}" if ref.is_tag else literal(ref.name)
    revision = build.pipeline.revision if build else ""
    return literal(revision[:7]) or "unknown ref"


def branch_words(key: str) -> str:
    """Return how a channel calls a branch, which it may know by some of its builds alone.

    What nobody sees of its name is shown: `main` with a blank behind it is not `main`.
    """
    scope, name = key.partition(" ")[2], named_in(key)
    hidden = unseen(name)
    shown = "".join("␣" if at in hidden or one.isspace() else one for at, one in enumerate(name))
    return f"{shown} ({scope})" if scope else shown
