"""How what an agent asked for stands, of what the store knows of it at one moment. Pure."""

import hashlib
import html
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from bot.models.asked import Asked
from bot.models.attempt import Attempt, Demand
from bot.models.build import Build, State
from bot.models.caller import Caller
from bot.models.circleci import PipelineId
from bot.models.pending import Deployment, Pending
from bot.models.slack import Watch
from bot.watching.triager import final_key
from formatters import errors
from formatters.plain import mentioned, plain
from formatters.told.words import person, quoted, state_word
from formatters.words import duration, so_far

MOST_NAMES, LONGEST_NAME, LONGEST_SAID, LONGEST_WHO = 1, 24, 400, 80
UNDER_WAY = timedelta(minutes=2)
AGREED, DECLINED, OTHERWISE = "agree", "decline", "otherwise"
_ON_ITS_WAY = ("agreed", "being sent", "looked for", "started")
_NOTHING_CAME = {"state": "not known", "note": "Nothing came of it so far: ask the same again."}
_NEVER_NEWS = frozenset({"elapsed", "mark"})


class Known(NamedTuple):
    """What the store knows of one act or build: all that can be told without asking anybody else.

    `decision` is who decided on the request and how, as it is claimed.
    """

    asked: Asked | None = None
    pending: Pending | None = None
    decision: str = ""
    attempt: Attempt | None = None
    build: Build | None = None
    watches: tuple[Watch, ...] = ()
    is_watched: bool = False

    @property
    def pipeline_id(self) -> PipelineId | None:
        """The pipeline that it is about, or that came of it."""
        if self.attempt and self.attempt.pipeline_id:
            return self.attempt.pipeline_id
        if self.pending and not isinstance(self.pending.wish, Deployment):
            return self.pending.wish.pipeline_id
        if self.asked and self.asked.pipeline_id:
            return self.asked.pipeline_id
        return self.watches[0].pipeline_id if self.watches else None

    @property
    def number(self) -> int | None:
        """Its number."""
        if self.attempt and self.attempt.pipeline_number:
            return self.attempt.pipeline_number
        if self.pending and not isinstance(self.pending.wish, Deployment):
            return self.pending.wish.pipeline_number
        if self.asked and self.asked.pipeline_number:
            return self.asked.pipeline_number
        return self.watches[0].pipeline_number if self.watches else None

    @property
    def agreed_by(self) -> str:
        """What who let it happen is called; empty text where nobody had to, or has."""
        if self.pending and self.pending.agreed:
            return self.pending.agreed.called
        return self.attempt.agreed_name if self.attempt else ""

    @property
    def stands(self) -> bool:
        """Say whether enough is kept of an act for it to go on or to have ended, whatever became of its caller."""
        if self.asked and self.asked.stands:
            return True
        if self.pending and (self.pending.request_ts or self.pending.over):
            return True
        return self.attempt is not None and (self.attempt.over or self.attempt.pipeline_id is not None)

    @property
    def people(self) -> set[str]:
        """The ids of the people whom its words name: once it is over, and nothing was sent for it."""
        person_id, verdict = _decided(self.decision)
        if self.pending is None or not (self.pending.over or verdict in (DECLINED, OTHERWISE)):
            return set()
        if _went_on(self, self.pending):
            return set()
        end = self.pending.end
        return {*(mentioned(end.shown) if end else ()), *([person_id] if person_id else [])}


class Standing(NamedTuple):
    """What is told: `data`, and of what has ended for good the `build`, as its verdict is worth a look."""

    data: dict[str, Any]
    is_over: bool = False
    ended: Build | None = None

    @property
    def mark(self) -> str:
        """Names what was told, so that who knows it waits for more; a minute more is no news."""
        told = {name: value for name, value in self.data.items() if name not in _NEVER_NEWS}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:8]


def standing(known: Known, names: Mapping[str, str], now: datetime) -> Standing:
    """Return how it stands: the request while that is open or came to nothing, then the build."""
    found = _standing(known, names, now)
    by = known.agreed_by
    if not by or "quoted_by" in found.data or not (found.is_over or found.data["state"] in _ON_ITS_WAY):
        return found
    return found._replace(data={**found.data, "quoted_agreed_by": quoted(by, LONGEST_NAME)})


def _standing(known: Known, names: Mapping[str, str], now: datetime) -> Standing:
    if known.pending is not None and not _went_on(known, known.pending):
        return _of_request(known, known.pending, names, now)
    if known.attempt is not None and known.attempt.pipeline_id is None:
        return _of_attempt(known.attempt)
    if known.asked is not None and known.asked.lost:
        became = {"quoted_end": quoted(html.unescape(plain(known.asked.became, names)), LONGEST_SAID)}
        is_over = known.asked.lost != "looked for"
        return Standing({**_of_lost(known, known.asked.lost), **(became if is_over else {})}, is_over)
    if known.pipeline_id is None:
        return _unheard_of(known, now)
    return _of_build(known)


def _went_on(known: Known, pending: Pending) -> bool:
    """Say whether something was sent for a request."""
    if known.attempt is not None and not known.attempt.is_unsent:
        return known.attempt.pipeline_id is not None or not known.attempt.over
    was_agreed = _decided(known.decision)[1] == AGREED and pending.over
    return was_agreed and pending.end is not None and not pending.end.in_vain


def _of_request(known: Known, pending: Pending, names: Mapping[str, str], now: datetime) -> Standing:
    person_id, verdict = _decided(known.decision)
    by = {"quoted_by": quoted(names.get(person_id) or person_id, LONGEST_NAME)} if person_id else {}
    said = _said(pending, names)
    if verdict == DECLINED:
        return Standing({"state": "declined", **by, **said}, is_over=True)
    if verdict == OTHERWISE:
        return Standing({"state": "done otherwise", **by, **said}, is_over=True)
    if verdict == AGREED and not pending.over:
        return Standing({"state": "agreed"})
    if verdict == AGREED and (lost := _lost(known, pending)):
        return Standing({**_of_lost(known, lost), **said}, is_over=lost != "looked for")
    if verdict == AGREED:
        return Standing({"state": "refused", **by, **said}, is_over=True)
    is_late = pending.expires_at is not None and now > pending.expires_at
    if pending.was_left(now):
        return Standing(_NOTHING_CAME, is_over=True)
    if known.decision or is_late:
        return Standing({"state": "expired", **said}, is_over=True)
    if pending.over:
        return Standing({"state": "over", **said}, is_over=True)
    return Standing(_waiting(known, pending))


def _of_lost(known: Known, lost: str) -> dict[str, Any]:
    """Return how it stands; of what was done in part the build as well, as that goes on."""
    return {"state": lost, **({"pipeline": known.number} if lost == "in part" else {})}


def _lost(known: Known, pending: Pending) -> str:
    """Return how it stands with what was sent and had no answer, or not all of it did.

    An earlier version kept that of a deploy alone.
    """
    attempt = known.attempt
    if attempt and attempt.over and attempt.sent_at and not (attempt.pipeline_id or attempt.refusal):
        return "not found"
    return pending.end.lost if pending.end else ""


def _waiting(known: Known, pending: Pending) -> dict[str, Any]:
    """Return what it waits for: somebody's press, which is asked for in a moment or by now."""
    asked = known.asked
    until = {"until": f"{pending.expires_at:%Y-%m-%dT%H:%MZ}"} if pending.expires_at else {}
    who = {"who": [quoted(one, LONGEST_WHO) for one in asked.who]} if asked and asked.who else {}
    where = {"at": asked.url} if asked and asked.url else {}
    if pending.request_ts is None:
        return {"state": "being asked", "for": str(pending.open[0] if pending.open else "an answer"), **until}
    if Demand.SECOND_PERSON in pending.open:
        but_not = {"quoted_but_not": quoted(pending.asker.name, LONGEST_NAME)} if pending.asker.name else {}
        return {"state": "waiting for a second person", **who, **but_not, **until, **where}
    return {"state": "waiting for a person", **who, **until, **where}


def _of_attempt(attempt: Attempt) -> Standing:
    if attempt.refusal is not None:
        why = quoted(html.unescape(errors.error(attempt.refusal.error).text), LONGEST_SAID)
        return Standing({"state": "refused", "quoted_why": why}, is_over=True)
    if attempt.over:
        lost = "CircleCI's answer was lost, and no pipeline of it was found: look before you ask again."
        return Standing({"state": "not found", "note": lost}, is_over=True)
    return Standing({"state": "being sent" if attempt.is_unsent else "looked for"})


def _unheard_of(known: Known, now: datetime) -> Standing:
    """Return how it stands before anything is kept of it: a process that died over it leaves that so."""
    if known.asked is None or now - known.asked.asked_at < UNDER_WAY:
        return Standing({"state": "being carried out"})
    return Standing(_NOTHING_CAME, is_over=True)


def _of_build(known: Known) -> Standing:
    build, number = known.build, {"pipeline": known.number}
    if build is None or _is_before(known, build):
        return _unless_unfollowed(known, {"state": "started", **number})
    if _is_final(known, build):
        return Standing({"state": state_word(build.outcome), **number, "took": duration(build.elapsed)}, True, build)
    return _unless_unfollowed(known, {**_going_on(build, number), "elapsed": so_far(build.elapsed)})


def _unless_unfollowed(known: Known, data: dict[str, Any]) -> Standing:
    """Return what goes on; where no thread follows it nobody looks, so that nothing more is ever known here."""
    if known.is_watched:
        return Standing(data)
    if known.asked is not None and known.asked.tool == "cancel":
        return Standing({"state": "cancelled", "pipeline": known.number}, is_over=True)
    return Standing({**data, "note": "No thread follows it any more: `status` shows it."}, is_over=True)


def _going_on(build: Build, number: dict[str, int | None]) -> dict[str, Any]:
    jobs = [job for run in build.real_runs for job in run.jobs]
    passed = sum(job.status == "success" for job in jobs)
    running = sum(len(run.running_jobs) for run in build.real_runs)
    told = f"{passed} of {len(jobs)} passed" + (f", {running} running" if running else "")
    failed = [build.called(job, run) for run in build.real_runs for job in run.failed_jobs]
    held = [build.called(job, run) for run in build.runs for job in run.holds]
    state = "finishing" if build.workflows_finished else state_word(build.state)
    line = f"/ci approve {build.pipeline.project_slug} #{build.pipeline.number}"
    ways = [person(f"approves what waits: {line}")] if build.state is State.ON_HOLD else []
    return {
        "state": state,
        **number,
        **({"jobs": told} if jobs else {}),
        **({"quoted_failed": _few(failed)} if failed else {}),
        **({"quoted_held": _few(held)} if held else {}),
        **({"next": ways} if ways else {}),
    }


def _is_before(known: Known, build: Build) -> bool:
    """Say whether the last look was at what is run again, and not yet at the run that was asked for."""
    wish = known.pending.wish if known.pending else None
    if wish is not None and wish.kind == "rerun" and known.pending:
        return build.fingerprint == known.pending.seen.fingerprint
    return known.asked is not None and known.asked.attempt > max((run.attempt for run in build.runs), default=0)


def _is_final(known: Known, build: Build) -> bool:
    """Say whether a thread was told that end: before that more may come of it."""
    return any(final_key(build) in watch.told for watch in known.watches)


def _decided(decision: str) -> tuple[str, str]:
    """Return who decided, and how."""
    _, person_id, verdict = f"{decision}||".split("|")[:3]
    return person_id, verdict


def _said(pending: Pending, names: Mapping[str, str]) -> dict[str, str]:
    """Return how a request ended, as it stands in its place."""
    return {"quoted_end": quoted(html.unescape(plain(pending.end.shown, names)), LONGEST_SAID)} if pending.end else {}


def _few(names: list[str]) -> list[str]:
    shown = [quoted(one, LONGEST_NAME) for one in names[:MOST_NAMES]]
    return [*shown, f"and {len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else shown


def is_its_own(asked: Asked, caller: Caller) -> bool:
    """Say whether it is the very agent that asked."""
    return caller.is_agent_of(asked.agent, asked.agent_since, asked.owner_id)
