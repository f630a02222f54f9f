"""A webhook of what the last look has seen is no news; of what may have brought anything else it is."""

import pytest

from bot.circleci.webhooks import read
from bot.models.build import Build
from bot.models.circleci import Job
from bot.watching.hearing import is_known, is_news
from tests.watching.test_schedule import build

JOB, WORKFLOW = "job-completed", "workflow-completed"


def seen(workflow: str, *jobs: str) -> Build:
    """Return a build of one workflow with jobs of these statuses, `j0` and so on."""
    one = build([workflow])
    data = [{"id": f"j{n}", "name": f"j{n}", "type": "build", "status": status} for n, status in enumerate(jobs)]
    run = one.runs[0].model_copy(update={"jobs": tuple(map(Job.model_validate, data))})
    return one.model_copy(update={"runs": (run,)})


def told(kind: str, workflow: str, job: str = "") -> bytes:
    about = f'"pipeline": {{"id": "p"}}, "workflow": {{"id": "{workflow}"}}' + (
        f', "job": {{"id": "{job}"}}' if job else ""
    )
    return f'{{"id": "e", "type": "{kind}", "happened_at": "2026-03-01T10:00:00Z", {about}}}'.encode()


@pytest.mark.parametrize(
    ("last", "webhook", "known"),
    [
        (seen("running", "success", "running"), told(JOB, "w0", "j0"), True),
        (seen("running", "running", "running"), told(JOB, "w0", "j0"), False),
        (seen("running", "success", "queued"), told(JOB, "w0", "j0"), False),  # what it lets begin may run by now
        (seen("running", "success", "blocked"), told(JOB, "w0", "j0"), False),
        (seen("running", "success", "success"), told(JOB, "w0", "j1"), False),  # the workflow may have ended with it
        (seen("on_hold", "success", "on_hold"), told(JOB, "w0", "j0"), False),
        (seen("success", "success"), told(JOB, "w0", "j0"), True),
        (seen("success", "success"), told(WORKFLOW, "w0"), True),
        (seen("failed", "failed"), told(WORKFLOW, "w0"), True),
        (seen("failing", "failed", "running"), told(WORKFLOW, "w0"), False),
        (seen("success", "success"), told(WORKFLOW, "w-of-a-rerun"), False),
        (seen("success", "success"), b'{"id": "e", "type": "x", "happened_at": "2026-03-01T10:00:00Z"}', False),
        (None, told(WORKFLOW, "w0"), False),
    ],
)
def test_what_the_last_look_has_seen_is_no_news(last: Build | None, webhook: bytes, *, known: bool) -> None:
    event = read(webhook)
    assert event is not None
    assert is_known(event, last) is known


@pytest.mark.parametrize(
    ("asked", "news"),
    [
        ((), False),
        ((told(WORKFLOW, "w0"), told(JOB, "w0", "j0")), False),
        ((told(WORKFLOW, "w0"), told(WORKFLOW, "w1")), True),
        ((b"1",), True),  # a person, or an earlier version
        ((b"1", told(WORKFLOW, "w0")), True),
    ],
)
def test_one_who_asks_for_what_nobody_has_seen_is_enough(asked: tuple[bytes, ...], *, news: bool) -> None:
    assert is_news([one.decode() for one in asked], seen("success", "success")) is news
