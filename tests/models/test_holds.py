"""Waiting for people is counted apart from running."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.models.build import Build, Run
from bot.models.circleci import Job, Pipeline, Workflow
from formatters.blocks import moment
from formatters.words import how_long, took

START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def ran(name: str, start: float, stop: float | None, *needs: str) -> dict[str, object]:
    times = {"started_at": at(start), "stopped_at": None if stop is None else at(stop)}
    return {"id": name, "name": name, "status": "success", "dependencies": needs, **times}


def hold(name: str, approved: float | None, *needs: str, status: str = "success") -> dict[str, object]:
    # As recorded, an approval "starts" with its workflow, whatever it needs.
    times = {"started_at": at(0), "stopped_at": None if approved is None else at(approved)}
    return {"id": name, "name": name, "type": "approval", "status": status, "dependencies": needs, **times}


def build(jobs: list[dict[str, object]], *, ends: float | None, now: float = 90, begins: float = 0) -> Build:
    workflow = {"id": "w", "name": "release", "status": "success" if ends is not None else "on_hold"}
    times = {"created_at": at(begins), "stopped_at": None if ends is None else at(ends)}
    return Build(
        pipeline=Pipeline.model_validate({"id": "p", "number": 7, "project_slug": "gh/a/b", "created_at": START}),
        runs=(
            Run(
                workflow=Workflow.model_validate({**workflow, **times}),
                jobs=tuple(map(Job.model_validate, jobs)),
                attempt=1 if not begins else 2,
            ),
        ),
        read_at=at(now),
    )


@pytest.mark.parametrize(
    ("jobs", "ends", "words"),
    [
        ([ran("test", 0, 1), hold("ok", 18, "test"), ran("ship", 18, 19, "ok")], 19, "2 min, plus 17 min on hold"),
        ([hold("ok", 17), ran("ship", 17, 19, "ok")], 19, "2 min, plus 17 min on hold"),
        # What ran meanwhile was no waiting, and two that waited at once waited once.
        ([hold("ok", 10), ran("long", 0, 12)], 12, "12 min"),
        ([hold("a", 10), hold("b", 8), ran("ship", 10, 12, "a")], 12, "2 min, plus 10 min on hold"),
        ([hold("a", 5), hold("b", 9, "a"), ran("test", 0, 2)], 9, "2 min, plus 7 min on hold"),
        # A hold that nobody reached, as what it needs has failed.
        ([ran("test", 0, 4), hold("ok", None, "test", status="blocked")], 4, "4 min"),
        # Approved at once.
        ([ran("test", 0, 4), hold("ok", 4.1, "test"), ran("ship", 4.1, 5, "ok")], 5, "5 min"),
    ],
)
def test_a_build_took_what_it_ran_and_apart_from_it_what_it_waited(
    jobs: list[dict[str, object]], ends: float, words: str
) -> None:
    assert took(build(jobs, ends=ends)) == words


def test_a_rerun_does_not_wait_again_for_what_was_approved_before_it() -> None:
    again = [ran("test", 0, 1), hold("ok", 18, "test"), ran("ship", 60, 62, "ok")]
    assert took(build(again, ends=62, begins=60)) == "2 min"


def test_what_waits_again_waits_since_its_rerun_began() -> None:
    held = build([ran("test", 0, 1), hold("ok", None, "test", status="on_hold")], ends=None, begins=60)
    assert held.on_hold_since == at(60)


def test_what_waits_says_since_when_and_that_does_not_change_from_look_to_look() -> None:
    held = [ran("test", 0, 1), hold("ok", None, "test", status="on_hold")]
    said = {how_long(build(held, ends=None, now=now)) for now in (2, 90, 60 * 24 * 90)}
    assert said == {f"on hold since {moment(at(1))}"}
