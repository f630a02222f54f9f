"""How what an agent asked for is said to stand, by what the store knows of it."""

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.agents.states import Known, Standing, is_its_own, standing
from bot.models.asked import Asked
from bot.models.attempt import Attempt, Demand, Refusal
from bot.models.build import Build
from bot.models.caller import Caller, Place
from bot.models.circleci import PipelineId, ProjectSlug, Ref
from bot.models.pending import Deployment, End, Pending, Rerun, Seen
from bot.models.slack import Watch
from bot.watching.triager import final_key
from tests.formatters.test_root import START, build

SLUG, REF, CHANNEL = ProjectSlug("gh/acme/frontend"), Ref(name="main"), Place(channel_id="C0DEPLOYS")
CALLER = Caller(person_id="U0ADA", name="ada", agent="laptop", place=CHANNEL, delivery_id="mcp:1")
ASKED = Asked(id="mcp:1", agent="laptop", owner_id="U0ADA", tool="deploy", asked_at=START, who=("members",))
DEPLOY = Deployment(project_slug=SLUG, project_title="acme/frontend", ref=REF)
RERUN = Rerun(
    project_slug=SLUG,
    project_title="acme/frontend",
    pipeline_id=PipelineId("p1"),
    pipeline_number=2417,
    failed_only=True,
)
ATTEMPT = Attempt(
    id="mcp:1", project_slug=SLUG, project_title="acme/frontend", ref=REF, thread=CHANNEL, asker_id="U0ADA",
    asked_at=START,
)  # fmt: skip
SENT = ATTEMPT.model_copy(update={"sent_at": START})
IN_VAIN = SENT.model_copy(update={"over": True})
STARTED = SENT.started(PipelineId("p1"), 2417)
NAMES = {"U0GRACE": "Grace"}


def pending(wish: Any = DEPLOY, **changed: Any) -> Pending:
    asked = Pending(
        id="mcp:1", wish=wish, asker=CALLER, asked_at=START, open=(Demand.SECOND_PERSON,), request_ts="1.2",
        expires_at=START + timedelta(hours=1), seen=Seen(fingerprint="w-before"),
    )  # fmt: skip
    return asked.model_copy(update=changed)


def ended(shown: str, *, in_vain: bool = False, lost: Any = "") -> dict[str, Any]:
    return {"over": True, "open": (), "end": End(shown=shown, in_vain=in_vain, lost=lost)}


def lost(how: str) -> dict[str, Any]:
    return {"wish": RERUN, **ended("nobody knows", in_vain=True, lost=how)}


def watch(told: Sequence[str] = ()) -> Watch:
    return Watch(
        id="mcp:1", pipeline_id=PipelineId("p1"), pipeline_number=2417, project_slug=SLUG, thread=CHANNEL,
        project_title="acme/frontend", asked_at=START, told=tuple(told),
    )  # fmt: skip


def seen(one: Build, *, is_final: bool = False, is_watched: bool = True) -> Known:
    told = [final_key(one)] if is_final else []
    return Known(ASKED, attempt=STARTED, build=one, watches=(watch(told),), is_watched=is_watched)


def at(known: Known, minutes: float = 1) -> Standing:
    return standing(known, NAMES, START + timedelta(minutes=minutes))


DECIDED = "press|U0GRACE|"
TABLE = {
    "asked of a person": (Known(ASKED, pending()), "waiting for a second person", False),
    "not posted yet": (Known(ASKED, pending(request_ts=None)), "being asked", False),
    "its run died before it was posted": (
        Known(ASKED, pending(request_ts=None, asking_until=START + timedelta(seconds=50))), "not known", True
    ),
    "queued": (seen(build("running").model_copy(update={"runs": (), "read_at": START})), "queued", False),
    "declined": (Known(ASKED, pending(**ended("no")), DECIDED + "decline"), "declined", True),
    "taken back, and not said yet": (Known(ASKED, pending(), DECIDED + "decline"), "declined", True),
    "done by hand": (Known(ASKED, pending(**ended("so")), DECIDED + "otherwise"), "done otherwise", True),
    "nobody decided": (Known(ASKED, pending(**ended("late")), "expired||"), "expired", True),
    "agreed, and on its way": (Known(ASKED, pending(), DECIDED + "agree"), "agreed", False),
    "agreed in vain": (Known(ASKED, pending(**ended("locked", in_vain=True)), DECIDED + "agree"), "refused", True),
    "pressed, its answer lost": (Known(ASKED, pending(**lost("looked for")), DECIDED + "agree"), "looked for", False),
    "looked for in vain": (Known(ASKED, pending(**lost("not found")), DECIDED + "agree"), "not found", True),
    "a part of it": (Known(ASKED, pending(**lost("in part")), DECIDED + "agree"), "in part", True),
    "a part of it, alone": (Known(ASKED.model_copy(update={"lost": "in part", "became": "alpha"})), "in part", True),
    "never found after a press": (
        Known(ASKED, pending(**ended("so")), DECIDED + "agree", IN_VAIN), "not found", True
    ),
    "done alone, its answer lost": (
        Known(ASKED.model_copy(update={"lost": "looked for", "pipeline_id": PipelineId("p1")})), "looked for", False
    ),
    "done alone, and looked for in vain": (
        Known(ASKED.model_copy(update={"lost": "not found", "became": "nothing shows"})), "not found", True
    ),
    "recorded": (Known(ASKED, attempt=ATTEMPT), "being sent", False),
    "its answer lost": (Known(ASKED, attempt=SENT), "looked for", False),
    "agreed, its answer lost": (Known(ASKED, pending(), DECIDED + "agree", SENT), "looked for", False),
    "never found": (Known(ASKED, attempt=SENT.model_copy(update={"over": True})), "not found", True),
    "not looked at": (Known(ASKED, attempt=STARTED, is_watched=True, watches=(watch(),)), "started", False),
    "running": (seen(build("running", jobs=["success", "running"])), "running", False),
    "red, and running": (seen(build("failing", jobs=["failed", "running"])), "running", False),
    "on hold": (seen(build("on_hold", jobs=["success"])), "on hold", False),
    "over, and not for sure": (seen(build("failed")), "finishing", False),
    "failed": (seen(build("failed"), is_final=True), "failed", True),
    "passed": (seen(build("success", jobs=["success"]), is_final=True, is_watched=False), "passed", True),
    "followed by nobody": (seen(build("running", jobs=["running"]), is_watched=False), "running", True),
    "nothing yet": (Known(ASKED), "being carried out", False),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE)
def test_each_moment_has_its_word(case: str) -> None:
    known, word, is_over = TABLE[case]
    found = at(known)
    assert (found.data["state"], found.is_over) == (word, is_over)


def test_a_request_says_who_may_press_until_when_and_where() -> None:
    asked = ASKED.model_copy(update={"url": "https://acme.slack.com/archives/C1/p1"})
    assert at(Known(asked, pending())).data == {
        "state": "waiting for a second person",
        "who": ["members"],
        "quoted_but_not": "ada",
        "until": "2026-11-20T11:00Z",
        "at": "https://acme.slack.com/archives/C1/p1",
    }


def test_a_request_is_over_once_nobody_can_answer_it_though_nobody_has_said_so() -> None:
    assert at(Known(ASKED, pending()), minutes=61).data["state"] == "expired"


@pytest.mark.parametrize("word", ["agreed", "started", "running", "passed"])
def test_who_agreed_is_told_until_it_has_begun_and_at_the_end(word: str) -> None:
    grace = Caller(person_id="U0GRACE", name="grace", delivery_id="press")
    agreed = {"agreed": grace, "met": (Demand.PERSON,), "open": ()}
    over = pending(**agreed, over=True, end=End(shown="agreed"))
    moments = {
        "agreed": Known(ASKED, pending(**agreed)),
        "started": Known(ASKED, over, attempt=STARTED, is_watched=True, watches=(watch(),)),
        "running": seen(build("running", jobs=["running"]))._replace(pending=over),
        "passed": seen(build("success", jobs=["success"]), is_final=True)._replace(pending=over),
    }
    moments = {name: one._replace(decision=DECIDED + "agree") for name, one in moments.items()}
    told = at(moments[word]).data
    assert told["state"] == word
    assert told.get("quoted_agreed_by") == ("grace" if word != "running" else None)
    alone = SENT.model_copy(update={"agreed_name": "grace", "over": True})
    assert at(Known(ASKED, attempt=alone)).data["quoted_agreed_by"] == "grace"


def test_what_is_on_hold_says_what_a_person_types() -> None:
    told = at(seen(build("on_hold", jobs=["success"]))).data
    assert told["next"] == [{"person": "approves what waits: /ci approve gh/acme/frontend #2417"}]


def test_an_end_names_who_decided_and_why() -> None:
    over = pending(**ended("🚫 Grace declined acme/frontend main: wait for <@U0GRACE>."))
    told = at(Known(ASKED, over, DECIDED + "decline")).data
    assert (told["quoted_by"], told["quoted_end"]) == ("Grace", "🚫 Grace declined acme/frontend main: wait for Grace.")


def test_people_are_looked_up_at_an_end_alone() -> None:
    over = pending(**ended("Grace agreed"))
    for goes_on in (
        Known(ASKED, pending()),
        Known(ASKED, pending(), DECIDED + "agree"),
        Known(ASKED, over, DECIDED + "agree", STARTED),
    ):
        assert goes_on.people == set()
    assert Known(ASKED, over, DECIDED + "decline").people == {"U0GRACE"}


def test_a_refusal_of_circleci_is_told() -> None:
    over = SENT.model_copy(update={"over": True, "refusal": Refusal(kind="NotTriggered", text="no config")})
    told = at(Known(ASKED, attempt=over)).data
    assert told["state"] == "refused"
    assert "no config" in told["quoted_why"]


def test_a_rerun_is_not_taken_for_the_end_of_what_it_runs_again() -> None:
    before = build("failed")
    asked = pending(RERUN, seen=Seen(fingerprint=before.fingerprint), **ended("agreed"))
    known = Known(ASKED, asked, "press|U0GRACE|agree", build=before, is_watched=True)
    known = known._replace(watches=(watch([final_key(before)]),))
    assert at(known).data["state"] == "started"
    again = asked.model_copy(update={"seen": Seen(fingerprint="w-before")})
    assert at(known._replace(pending=again)).data["state"] == "failed"


def test_a_rerun_without_a_request_is_known_by_its_run() -> None:
    asked = ASKED.model_copy(update={"tool": "rerun", "attempt": 2, "stands": True, "pipeline_id": PipelineId("p1")})
    known = Known(asked, build=build("failed"), watches=(watch([final_key(build("failed"))]),), is_watched=True)
    assert at(known).data["state"] == "started"


def test_a_rerun_that_was_agreed_to_and_not_sent_was_refused() -> None:
    before = build("failed")
    asked = pending(RERUN, seen=Seen(fingerprint=before.fingerprint), **ended("locked", in_vain=True))
    known = Known(ASKED, asked, "press|U0GRACE|agree", build=before)
    assert at(known).data["state"] == "refused"


def test_what_a_process_died_over_is_asked_again() -> None:
    assert at(Known(ASKED), minutes=3).data["note"] == "Nothing came of it so far: ask the same again."
    for stands in (pending(), pending(request_ts=None, over=True)):
        assert Known(ASKED, stands).stands
    for does_not in (Known(), Known(ASKED), Known(ASKED, pending(request_ts=None)), Known(ASKED, attempt=SENT)):
        assert not does_not.stands
    assert Known(ASKED, attempt=STARTED).stands
    assert Known(ASKED.model_copy(update={"stands": True})).stands


def test_a_minute_more_is_no_news_and_a_job_is() -> None:
    first = at(seen(build("running", jobs=["running", "running"])))
    assert at(seen(build("running", jobs=["running", "running"], minutes=9))).mark == first.mark
    assert at(seen(build("running", jobs=["success", "running"]))).mark != first.mark


def test_what_runs_is_told_in_210_characters_whatever_its_names() -> None:
    one = build("failing", jobs=["failed", "failed", "failed", "running"], name="w" * 10_000)
    long = one.runs[0].model_copy(
        update={"jobs": tuple(job.model_copy(update={"name": "j" * 10_000}) for job in one.runs[0].jobs)}
    )
    told = at(seen(one.model_copy(update={"runs": (long,)})))
    data = {"of": "mcp:0123456789abcdef", **told.data, "finished": False, "mark": told.mark}
    assert len(json.dumps(data, separators=(",", ":"), ensure_ascii=False)) <= 210


def test_what_was_cancelled_and_nobody_follows_is_cancelled() -> None:
    asked = ASKED.model_copy(update={"tool": "cancel", "stands": True, "pipeline_id": PipelineId("p1")})
    assert at(Known(asked)).data["state"] == "cancelled"
    assert at(Known(asked, build=build("running", jobs=["running"]))).data["state"] == "cancelled"


def test_each_state_is_in_the_docs() -> None:
    docs = (Path(__file__).parents[2] / "docs" / "agents.md").read_text()
    for _, word, _ in TABLE.values():
        assert f"`{word}`" in docs, word


def test_only_the_agent_of_the_same_owner_asked_it_itself() -> None:
    assert is_its_own(ASKED, CALLER)
    assert not is_its_own(ASKED, CALLER.model_copy(update={"agent": "desktop"}))
    assert not is_its_own(ASKED, CALLER.model_copy(update={"person_id": "U0GRACE"}))
    dated = ASKED.model_copy(update={"agent_since": START})
    assert is_its_own(dated, CALLER.model_copy(update={"agent_since": START}))
    later = CALLER.model_copy(update={"agent_since": START + timedelta(seconds=1)})
    assert not is_its_own(dated, later)
