"""What the root says: never more than is known, at the end the verdict."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answers.builds import OnHold
from bot.masks import MASK
from bot.models.build import Build, Change, ChangeKind, JobReport, Report, Run, State
from bot.models.circleci import Artifact, Job, JobId, Pipeline, TestResult, Workflow
from bot.models.history import Extent, Transition, Turn
from bot.models.slack import Watch
from bot.triage.diagnosis import Triage
from bot.triage.verdicts import Kind, Verdict
from bot.watching.changes import noteworthy
from formatters import choices, final, replies, root
from formatters.blocks import Message
from formatters.buttons import approve_button, outcome_buttons
from formatters.closing import closing
from formatters.limits import violations
from formatters.links import Links
from tests.formatters.test_messages import watch as anybodys

START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
VCS = {
    "branch": "release/v2.0",
    "revision": "38c6d84ea0",
    "commit": {"subject": "Ship v2.0"},
    "origin_repository_url": "https://github.com/acme/frontend",
    "review_id": "318",
    "review_url": "https://github.com/acme/frontend/pull/318",
}


def watch() -> Watch:
    return anybodys().model_copy(update={"asker_name": "ada", "ref": None})


def build(*statuses: str, jobs: Sequence[str] = ("failed",), minutes: float = 5, **workflow: object) -> Build:
    pipeline = {"id": "p1", "number": 2417, "project_slug": "gh/acme/frontend", "created_at": START, "state": "created"}
    flows = [
        {"id": f"w{number}", "name": f"flow-{number}", "status": status, "created_at": START, "stopped_at": START}
        for number, status in enumerate(statuses)
    ]
    names = [Job.model_validate({"id": f"j{n}", "name": f"job-{n}", "status": one}) for n, one in enumerate(jobs)]
    return Build(
        pipeline=Pipeline.model_validate({**pipeline, "vcs": VCS}),
        runs=tuple(Run(workflow=Workflow.model_validate({**one, **workflow}), jobs=tuple(names)) for one in flows),
        read_at=START + timedelta(minutes=minutes),
    )


def heading(message: Message) -> str:
    return str(message.blocks[0]["text"]["text"])


STATUSES = ("running", "failing", "on_hold", "queued", "success", "failed", "error", "canceled", "a new word")
JOBS = ("success", "running", "failed", "blocked", "queued", "on_hold")
SECONDS = st.integers(0, 8000)


@given(st.lists(st.sampled_from(STATUSES), max_size=2), st.lists(st.sampled_from(JOBS), max_size=2), st.data())
def test_where_what_it_shows_is_the_same_so_is_the_root(
    statuses: list[str], jobs: list[str], data: st.DataObject
) -> None:
    one = build(
        *statuses,
        jobs=jobs,
        stopped_at=data.draw(st.sampled_from([None, START])),
        tag=data.draw(st.sampled_from(["", "setup"])),
    )
    pipeline = one.pipeline.model_copy(update={"state": data.draw(st.sampled_from(["created", "pending", "errored"]))})
    one = one.model_copy(update={"pipeline": pipeline})
    first = data.draw(SECONDS)
    for seconds in (first, first + 1, first + 59, first + 60, data.draw(SECONDS)):
        other = one.model_copy(update={"read_at": START + timedelta(seconds=seconds), "listed_at": START})
        one = one.model_copy(update={"read_at": START + timedelta(seconds=first)})
        for is_final in (False, True):
            shown = [root.root(each, watch(), Links(), final=is_final).digest for each in (one, other)]
            assert root.shown_of(one) != root.shown_of(other) or shown[0] == shown[1]


@pytest.mark.parametrize(
    ("value", "shown", "why"),
    [
        ("prod\u200b", '`env="prod[U+200B]"`', "holds what nobody sees: `prod[U+200B]`"),
        ("prod  x", '`env="prod[U+0020][U+0020]x"`', ""),
        ("\u0440rod", "`env=[U+0440]rod`", "mixes Latin and Cyrillic letters"),
        ("prod", "`env=prod`", ""),
    ],
)
def test_the_root_shows_a_parameter_exactly(value: str, shown: str, why: str) -> None:
    message = root.root(None, watch().model_copy(update={"parameters": {"env": value}}), Links())
    text = "\n".join(str(block) for block in message.blocks)
    assert shown in text
    assert ("Careful: this name" in text) is bool(why)
    assert why in text


def test_the_dialog_of_rerun_failed_names_what_runs_whole() -> None:
    def asked(*statuses: str) -> str:
        made = next(outcome_buttons(build(*statuses), watch(), State.FAILED))
        return str(made["confirm"]["text"]["text"])

    assert asked("failed", "canceled").endswith("the failed jobs run again, and the jobs after them.")
    assert asked("failed", "error", "unauthorized").endswith(" What never began runs whole: flow-1, flow-2.")


def buttons(message: Message) -> list[str]:
    return [one["text"]["text"] for block in message.blocks if block["type"] == "actions" for one in block["elements"]]


@pytest.mark.parametrize(
    ("seen", "begins"),
    [
        (build("success", jobs=["success"]), "*🔵 Finishing, green so far* · "),
        (build("failed"), "*🔵 Finishing, red so far* · "),
        (build("canceled", jobs=["canceled"]), "*🔵 Finishing, cancelled so far* · "),
        (build("success", jobs=["success"], tag="setup", minutes=0.5), "*🔵 Running* · "),
        (build("success", "on_hold", jobs=["success"]), "*⏸️ On hold* · "),
        (build("failed", "running"), "*🔵 Running, red so far* · "),
    ],
    ids=["green", "red", "cancelled", "setup", "a hold beside a green one", "one still runs"],
)
def test_before_the_end_nothing_is_called_the_end(seen: Build, begins: str) -> None:
    message = root.root(seen, watch(), Links())
    assert heading(message).startswith(begins)
    for word in ("Passed", "Failed", "Could not run", "it passed", "it failed"):
        assert word not in f"{message.text}{heading(message)}"
    assert not {"Artifacts", "Rerun failed", "Rerun all"} & set(buttons(message))


def failed(*kinds: Kind, jobs: Sequence[Kind] = (), left_out: int = 0, known: bool = True) -> str:
    """Return the verdict on a build of four jobs, in one of which tests failed."""
    tests = tuple(TestResult(name=f"test_{n}", result="failure") for n in range(len(kinds)))
    seen = build("failed", jobs=["failed", *["failed"] * (len(jobs) + left_out), "success"])
    first, *others = seen.runs[0].jobs[:-1]
    looked = [JobReport(job=first, workflow_name="w", failed_tests=tests, tests_failed=len(tests), tests_total=60)]
    report = Report(jobs=tuple(looked), jobs_left_out=tuple(others[len(jobs) :]))
    if not known:
        return closing(seen, report).verdict
    judged = zip(others if kinds else (first, *others), jobs, strict=False)
    of_jobs = {one.id: Verdict(kind=kind) for one, kind in judged}
    of_tests = {f"j:{n}": Verdict(kind=kind) for n, kind in enumerate(kinds)}
    return closing(seen, report, Triage(extent=Extent(base="main"), tests=of_tests, jobs=of_jobs)).verdict


FLAKE, NEW, RED, UNSURE, INFRASTRUCTURE = Kind.FLAKE, Kind.NEW, Kind.RED_ON_BASE, Kind.NOT_SURE, Kind.INFRASTRUCTURE


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (failed(FLAKE, NEW, RED), "3 of 60 tests: 1 new, 1 red on main, 1 flake"),
        (failed(FLAKE, NEW, RED, known=False), "3 of 60 tests"),
        (failed(RED), "1 of 60 tests: red on main"),
        (failed(FLAKE, FLAKE), "2 of 60 tests: all flakes"),
        (failed(UNSURE, UNSURE), "2 of 60 tests"),
        (failed(NEW, UNSURE), "2 of 60 tests: 1 new, 1 unsure"),
        (failed(NEW, jobs=[INFRASTRUCTURE]), "1 of 60 tests: new · 1 more job: likely infrastructure"),
        # What was not looked into is not counted as if it were nothing.
        (failed(NEW, NEW, left_out=1), "at least 2 tests: all new"),
        (failed(jobs=[INFRASTRUCTURE, NEW]), "3 of 4 jobs"),
        (failed(jobs=[INFRASTRUCTURE]), "2 of 3 jobs"),
        (failed(known=False), "job-0"),
    ],
)
def test_the_root_carries_the_verdict_and_no_count_that_is_not_known(verdict: str, words: str) -> None:
    assert verdict == words


def test_the_verdict_of_another_attempt_is_not_shown() -> None:
    told = watch().model_copy(update={"closing": closing(build("failed"), None)})
    assert heading(root.root(build("failed"), told, Links(), final=True)).endswith(" · job-0")
    again = build("failed", id="another")
    assert heading(root.root(again, told, Links(), final=True)) == "*❌ Failed* · acme/frontend · release/v2.0"


def test_a_repaired_branch_is_said_to_be() -> None:
    fixed = Triage(extent=Extent(base="main"), transition=Transition(turn=Turn.FIXED, times=3))
    assert closing(build("success", jobs=["success"]), Report(), fixed).verdict == "fixed after 3 red builds"


@pytest.mark.parametrize(
    ("report", "offered"),
    [
        (Report(), []),
        (Report(artifacts=(Artifact(path="a"),)), ["Artifacts"]),
        (Report(artifacts_problem="they could not be listed"), ["Artifacts"]),
        (None, ["Artifacts"]),  # nobody knows
    ],
)
def test_files_are_offered_where_there_may_be_some(report: Report | None, offered: list[str]) -> None:
    passed = build("success", jobs=["success"])
    told = watch().model_copy(update={"closing": closing(passed, report)})
    assert buttons(root.root(passed, told, Links(), final=True)) == [*offered, "Open in CircleCI"]


def test_the_second_line_leads_to_the_commit_and_the_pull_request() -> None:
    line = root.root(build("running"), watch(), Links()).blocks[1]["elements"][0]["text"]
    assert line.startswith(
        "<https://github.com/acme/frontend/commit/38c6d84ea0|38c6d84> Ship v2.0 · "
        "<https://github.com/acme/frontend/pull/318|PR 318> · asked by ada · started <!date^"
    )


def held(waiting: int) -> Build:
    """Return a build of which jobs wait, and of the first of them two follow."""
    seen = build("on_hold", jobs=())
    holds = [{"id": f"h{n}", "name": f"hold-{n}", "type": "approval", "status": "on_hold"} for n in range(waiting)]
    behind = [{"id": f"b{n}", "name": f"ship-{n}", "status": "blocked", "dependencies": ["h0"]} for n in range(5)]
    jobs = tuple(Job.model_validate(one) for one in [*holds, *behind])
    return seen.model_copy(update={"runs": (seen.runs[0].model_copy(update={"jobs": jobs}),)})


def test_on_hold_the_root_is_the_same_at_every_look() -> None:
    seen = held(1)
    looks = [seen.model_copy(update={"read_at": START + timedelta(minutes=minutes)}) for minutes in (1, 61, 90 * 1440)]
    assert len({root.root(one, watch(), Links()).digest for one in looks}) == 1


def test_who_approves_reads_what_and_what_it_starts() -> None:
    seen = held(2)
    job, run = seen.runs[0].jobs[0], seen.runs[0]
    asked = approve_button(job, run, seen, "acme/frontend")["confirm"]["text"]["text"]
    assert asked == (
        "hold-0 of acme/frontend release/v2.0 #2417 at 38c6d84 goes on. It starts ship-0, ship-1, ship-2, 2 more."
    )
    other = approve_button(seen.runs[0].jobs[1], run, seen, "acme/frontend")["confirm"]["text"]["text"]
    assert other.endswith("#2417 at 38c6d84 goes on.")


def test_names_without_an_end_leave_the_dialog_within_slacks_limits() -> None:
    seen = held(1)
    job = seen.runs[0].jobs[0].model_copy(update={"id": JobId("h0"), "name": "x&" * 200})
    message = root.root(seen, watch(), Links())
    assert violations(message) == []
    made = approve_button(job, seen.runs[0], seen, "y<" * 200)
    assert len(made["confirm"]["text"]["text"]) <= 300


@pytest.mark.parametrize(("waiting", "name", "least"), [(12, "hold-{}", 12), (60, "hold-{}", 12), (12, "&" * 400, 4)])
def test_what_waits_can_be_approved_or_the_rest_is_counted(waiting: int, name: str, least: int) -> None:
    # C46, C66
    seen = held(waiting)
    jobs = tuple(job.model_copy(update={"name": name.format(number)}) for number, job in enumerate(seen.runs[0].jobs))
    seen = seen.model_copy(update={"runs": (seen.runs[0].model_copy(update={"jobs": jobs}),)})
    listed = choices.on_hold(OnHold(title="acme/frontend", build=seen, waiting=(seen,), looked_at=1))
    told = replies.changes(seen, noteworthy(seen), watch(), Links())
    for message, rest in ((listed, "and {} more: ask again"), (told, "{} more buttons did not fit here")):
        assert violations(message) == []
        offered = len(buttons(message))
        assert least <= offered <= waiting
        assert (rest.format(waiting - offered) in str(message.blocks)) == (waiting > offered)


@pytest.mark.parametrize(
    ("parameters", "shown"),
    [
        ({"env": "prod"}, "with `env=prod`"),
        ({"env": "staging"}, "with `env=staging`"),
        ({"token": "ghp_" + "a1B2" * 9}, f"with `token={MASK}`"),
        ({str(number): True for number in range(6)}, "with `0=true`, `1=true`, `2=true`, `3=true` and 2 more"),
    ],
)
def test_the_root_shows_what_it_was_asked_for_with(parameters: dict[str, str | bool], shown: str) -> None:
    one = watch().model_copy(update={"parameters": parameters})
    for message in (root.root(build("running"), one, Links()), root.unfollowed(build("running"), one, Links())):
        assert shown in str(message.blocks[1])


@pytest.mark.parametrize(
    ("status", "said"), [("running", "cancel asked for by grace"), ("canceled", "cancelled by grace"), ("success", "")]
)
def test_who_cancelled_is_named_once_it_is(status: str, said: str) -> None:
    acted = {"asker_id": "U0ADA", "actor_id": "U0GRACE", "actor_name": "grace", "acted": "cancelled"}
    one = watch().model_copy(update=acted)
    details = str(root.root(build(status), one, Links(), final=status != "running").blocks[1])
    assert (said in details) if said else "grace" not in details
    last = str(final.final(build(status), None, one, Links()).blocks[0])
    assert ("by grace. <@U0GRACE> (asked by <@U0ADA>)" in last) is (status == "canceled")


@pytest.mark.parametrize(
    ("asked_here", "said"), [(True, "<@U0GRACE> (asked by <@U0ADA>)"), (False, "<@U0GRACE> (asked by ada)")]
)
def test_the_end_is_told_to_who_asked_and_to_who_acted_last(asked_here: bool, said: str) -> None:
    people = {"asker_id": "U0ADA", "asker_name": "ada", "watcher_id": "U0ADA" if asked_here else "U0LINUS"}
    one = watch().model_copy(update={**people, "actor_id": "U0GRACE", "actor_name": "grace", "acted": "approved"})
    (first, *rest) = final.final(build("success"), None, one, Links()).blocks
    assert said in str(first)
    assert "<@" not in str(rest)
    own = one.model_copy(update={"actor_id": "U0ADA", "actor_name": "ada", "watcher_id": "U0ADA"})
    assert str(final.final(build("success"), None, own, Links()).blocks).count("<@U0ADA>") == 1


def test_who_stopped_following_is_named_and_no_reply_can_be_pressed_then() -> None:
    one = build("on_hold", jobs=("on_hold",))
    job = one.runs[0].jobs[0].model_copy(update={"type": "approval"})
    held = one.model_copy(update={"runs": (one.runs[0].model_copy(update={"jobs": (job,)}),)})
    assert "grace had me stop following it." in str(root.unfollowed(held, watch(), Links(), "grace").blocks)
    told = replies.changes(held, noteworthy(held), watch(), Links(), is_followed=False)
    assert not buttons(told)
    assert "@ci approve gh/acme/frontend #2417" in str(told.blocks)


def test_what_a_newer_pipeline_replaced_says_so_once_and_pings_who_asked_for_it_alone() -> None:
    over = build("canceled").model_copy(update={"superseded_by": 2421})
    asked = watch().model_copy(update={"asker_id": "U0ADA", "watcher_id": "U0ADA"})
    shown = root.root(over, asked, Links(), final=True)
    assert str(shown.blocks).count("2421") == heading(shown).count("2421") > 0
    assert "<@U0ADA>" in heading(final.final(over, None, asked, Links()))
    watched = asked.model_copy(update={"asker_id": "", "asker_name": ""})
    assert "<@U0ADA>" not in heading(final.final(over, None, watched, Links()))


def test_an_approval_that_was_given_here_is_told_once() -> None:
    job = Job.model_validate({"id": "h", "name": "hold", "type": "approval", "status": "success"})
    held = Change(kind=ChangeKind.ON_HOLD, workflow=build("running").runs[0].workflow, job=job)
    elsewhere = replies.changes(build("running"), [held], watch(), Links())
    assert "waited for an approval, and was approved" in heading(elsewhere)
    here = replies.changes(build("running"), [held], watch().with_told("approved:h"), Links())
    assert "was approved" not in heading(here)
