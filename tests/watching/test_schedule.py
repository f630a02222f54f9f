"""How several workflows become one outcome, and when that outcome is the last word."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.models.build import Build, Run, State
from bot.models.circleci import Job, Pipeline, Workflow
from bot.settings import Settings
from bot.watching.schedule import ending, is_missed, is_over, next_delay

START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def build(statuses: list[str], *, state: str = "created", age: int = 300, **workflow: object) -> Build:
    pipeline = {"id": "p", "number": 2417, "project_slug": "gh/acme/frontend", "state": state, "created_at": START}
    runs = [
        {"id": f"w{n}", "name": f"w{n}", "status": status, "created_at": START, **workflow}
        for n, status in enumerate(statuses)
    ]
    return Build(
        pipeline=Pipeline.model_validate(pipeline),
        runs=tuple(Run(workflow=Workflow.model_validate(run)) for run in runs),
        read_at=START + timedelta(seconds=age),
    )


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("CIRCLECI_TOKEN", "x")
    return Settings()


@pytest.mark.parametrize(
    ("statuses", "state"),
    [
        (["success", "failed"], State.FAILED),
        (["success", "running"], State.RUNNING),
        (["failed", "running"], State.RUNNING),
        (["success", "unauthorized"], State.COULD_NOT_RUN),
        (["success", "not_run"], State.PASSED),
        (["success", "on_hold"], State.ON_HOLD),
        (["success", "some_new_state"], State.UNKNOWN),
    ],
)
def test_the_worst_workflow_decides(statuses: list[str], state: State) -> None:
    # C22
    assert build(statuses).state is state


def test_what_no_workflow_matched_does_not_wait() -> None:
    assert build([], age=600).state is State.COULD_NOT_RUN


ERROR = {"type": "config", "message": "Cannot find a definition for job named no-such-job"}


@pytest.mark.parametrize(
    ("state", "errors", "tags", "statuses", "age", "outcome"),
    [
        ("errored", [ERROR], ["setup"], ["success"], 30, State.COULD_NOT_RUN),
        ("created", [ERROR], ["setup"], ["success"], 30, State.COULD_NOT_RUN),
        ("created", [ERROR], [], [], 30, State.COULD_NOT_RUN),
        ("created", [ERROR], ["setup", ""], ["success", "success"], 30, State.COULD_NOT_RUN),
        ("created", [ERROR], ["setup", ""], ["success", "failed"], 30, State.FAILED),
        ("setup", [ERROR], ["setup"], ["running"], 30, State.RUNNING),
        ("created", [], [], [], 30, State.WAITING),
        ("pending", [], [], [], 600, State.WAITING),
        ("created", [], ["setup"], ["success"], 30, State.WAITING),
        ("created", [], ["setup"], ["success"], 600, State.COULD_NOT_RUN),
        ("created", [], ["setup"], ["failed"], 600, State.FAILED),
        ("created", [], ["setup", ""], ["success", "success"], 600, State.PASSED),
    ],
)
def test_a_setup_workflow_alone_is_no_success_and_errors_decide(
    state: str, errors: list[object], tags: list[str], statuses: list[str], age: int, outcome: State, waits: Settings
) -> None:
    # C47
    bare = build(statuses, state=state, age=age, stopped_at=START)
    pipeline = Pipeline.model_validate({**bare.pipeline.model_dump(), "errors": errors})
    runs = [
        run.model_copy(update={"workflow": run.workflow.model_copy(update={"tag": tag})})
        for run, tag in zip(bare.runs, tags, strict=True)
    ]
    seen = bare.model_copy(update={"pipeline": pipeline, "runs": tuple(runs)})
    assert seen.state is outcome
    refused = bool(errors) and outcome is State.COULD_NOT_RUN and not any(tag == "" for tag in tags)
    assert ending(seen, START + timedelta(seconds=age), waits).is_final is refused


def test_no_workflow_is_said_after_the_grace(waits: Settings) -> None:
    # C19
    assert not ending(build([], age=74), None, waits).is_final
    assert ending(build([], age=75), None, waits).is_final
    assert not ending(build([], state="pending", age=500), None, waits).is_final


def test_an_outcome_settles_before_it_is_final(waits: Settings) -> None:
    passed = build(["success"])
    assert not ending(passed, passed.read_at - timedelta(seconds=9), waits).is_final
    assert ending(passed, passed.read_at - timedelta(seconds=10), waits).is_final


def test_an_automatic_rerun_is_waited_for(waits: Settings) -> None:
    failed = build(["failed"], max_auto_reruns=2)
    assert not ending(failed, failed.read_at - timedelta(seconds=59), waits).is_final
    assert ending(failed, failed.read_at - timedelta(seconds=60), waits).is_final


def test_durations_are_never_negative() -> None:
    # C33
    assert build(["running"], age=-400).elapsed == timedelta(0)


@pytest.mark.parametrize(
    ("hours", "seconds"), [(0, 60), (0.9, 60), (1, 120), (3.5, 240), (9, 600), (24 * 20, 600)], ids=str
)
def test_what_waits_for_hours_is_looked_at_ever_more_rarely(waits: Settings, hours: float, seconds: float) -> None:
    held = build(["on_hold"], age=int(hours * 3600))
    assert next_delay(held, 0, waits).total_seconds() == seconds
    queued = build(["queued"], age=int(hours * 3600))
    assert next_delay(queued, 0, waits).total_seconds() <= seconds
    assert next_delay(build(["running"], age=int(hours * 3600)), 0, waits).total_seconds() <= 30


def test_what_just_came_to_its_hold_is_looked_at_soon(waits: Settings) -> None:
    held = build(["on_hold"], age=3 * 3600)
    job = {"id": "j", "name": "test", "status": "success", "stopped_at": START + timedelta(hours=2, minutes=50)}
    jobs = (Job.model_validate(job),)
    run = held.runs[0].model_copy(update={"jobs": jobs})
    assert next_delay(held.model_copy(update={"runs": (run,)}), 0, waits) == waits.on_hold


def test_what_a_setup_workflow_was_refused_for_before_is_not_the_end_of_its_rerun(waits: Settings) -> None:
    errors = ({"type": "config", "message": "No such job"},)
    refused = build(["success"], tag="setup", stopped_at=START)
    refused = refused.model_copy(update={"pipeline": refused.pipeline.model_copy(update={"errors": errors})})
    assert ending(refused, START, waits).is_final
    again = refused.model_copy(update={"runs": (refused.runs[0].model_copy(update={"attempt": 2}),)})
    assert not ending(again, again.read_at - timedelta(seconds=74), waits).is_final
    assert ending(again, again.read_at - timedelta(seconds=75), waits).is_final


@pytest.mark.parametrize(
    ("statuses", "state", "stopped", "over"),
    [
        (["success"], "created", 280, True),
        (["success"], "created", 295, False),  # it settles
        (["success", "running"], "created", 280, False),
        (["failed"], "created", None, False),  # nobody says when it ended
        ([], "errored", None, True),
        ([], "created", None, True),
        ([], "pending", None, False),
    ],
)
def test_who_asks_late_is_told_what_is_over(
    waits: Settings, statuses: list[str], state: str, stopped: int | None, over: bool
) -> None:
    ended = None if stopped is None else START + timedelta(seconds=stopped)
    assert is_over(build(statuses, state=state, stopped_at=ended), waits) == over


@pytest.mark.parametrize(
    ("statuses", "state", "tag", "minutes", "seconds"),
    [
        (["running"], "created", "", 1, 60),
        (["running"], "created", "", 50, 60),
        (["on_hold"], "created", "", 50, 60),
        (["on_hold"], "created", "", 180, 240),
        ([], "pending", "", 1, 5),
        ([], "created", "", 1, 5),
        (["running"], "setup", "setup", 1, 5),  # an error may follow, and other workflows
    ],
)
def test_what_webhooks_tell_is_not_looked_for(
    waits: Settings, statuses: list[str], state: str, tag: str, minutes: int, seconds: float
) -> None:
    told = build(statuses, state=state, age=60 * minutes, tag=tag)
    assert next_delay(told, 0, waits, is_told=True).total_seconds() == seconds
    assert next_delay(told, 0, waits, is_told=True, is_young=True) == waits.poll_interval
    assert next_delay(told, 2, waits, is_told=True) == waits.poll_interval * 4


@pytest.mark.parametrize(
    ("job", "last_told", "missed"),
    [
        ({"status": "success", "stopped_at": START + timedelta(seconds=200)}, 200, False),
        ({"status": "success", "stopped_at": START + timedelta(seconds=200)}, 198, False),  # its clock is not exact
        ({"status": "success", "stopped_at": START + timedelta(seconds=200)}, 260, False),  # they arrive
        ({"status": "success", "stopped_at": START + timedelta(seconds=200)}, 100, True),
        ({"status": "failed", "stopped_at": START + timedelta(seconds=200)}, 100, True),
        ({"status": "success", "stopped_at": START + timedelta(seconds=280)}, 100, False),  # it may be on its way
        ({"status": "running", "stopped_at": None}, 100, False),
        ({"status": "success", "stopped_at": START + timedelta(seconds=200), "type": "approval"}, 100, False),
        ({"status": "not_run", "stopped_at": START + timedelta(seconds=200)}, 100, False),
    ],
)
def test_a_webhook_is_missed_once_what_it_should_tell_is_seen(
    waits: Settings, job: dict[str, object], last_told: int, missed: bool
) -> None:
    seen = build(["running"])
    jobs = (Job.model_validate({"id": "j", "name": "test", **job}),)
    seen = seen.model_copy(update={"runs": (seen.runs[0].model_copy(update={"jobs": jobs}),)})
    assert is_missed(seen, START + timedelta(seconds=last_told), waits) == missed


@pytest.mark.parametrize(("is_told", "most"), [(False, 45), (True, 10)])
def test_a_build_of_ten_minutes_is_looked_at_a_few_times(waits: Settings, is_told: bool, most: int) -> None:
    ages = [0.0]
    while ages[-1] < 600:
        pause = next_delay(build(["running"], age=int(ages[-1])), 0, waits, is_told=is_told)
        assert is_told or pause <= max(waits.poll_interval, timedelta(seconds=ages[-1] / 10))
        ages.append(ages[-1] + pause.total_seconds())
    assert len(ages) - 1 <= most
