"""Before an act all of it can be read, or there is no button for it, but the line to type."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bot.answers.acts import LockChanged
from bot.answers.questions import BranchIsRed
from bot.errors import Locked, NothingToDo
from bot.models.attempt import ParameterValue
from bot.models.audit import Entry
from bot.models.build import Build, Shipment, State
from bot.models.caller import Caller, Place
from bot.models.circleci import Definition, Pipeline, PipelineError, PipelineId, ProjectSlug, Ref
from bot.models.lock import Lock
from bot.models.pending import Deployment, End, Pending
from bot.models.slack import Watch
from formatters import agreement, endings, gate, locks
from formatters.again import act_button
from formatters.blocks import Block, Message
from formatters.buttons import outcome_buttons, to_be_typed
from formatters.dialogs import LONGEST, asks

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SLUG, TITLE, MAIN = ProjectSlug("gh/acme/frontend"), "acme/frontend", Ref(name="main")
STOPPED = "deploy gh/acme/frontend main env=prod force=true"
LONG = f'{STOPPED} note="{"x" * 300}"'
ADA = Caller(person_id="U0ADA", name="ada", delivery_id="d")


def buttons(message: Message) -> dict[str, str]:
    """Return what each button asks first, by its label."""
    rows = [block["elements"] for block in message.blocks if block["type"] == "actions"]
    return {one["text"]["text"]: asked(one) for row in rows for one in row}


def asked(button: Block) -> str:
    return str(button.get("confirm", {}).get("text", {}).get("text", ""))


def shown(message: Message) -> str:
    return " ".join(block["text"]["text"] for block in message.blocks if block["type"] == "section")


def taken(again: str, ref: Ref = MAIN) -> Message:
    lock = Lock(project_slug=SLUG, project_title=TITLE, ref=ref, holder_id="U0ADA", since=NOW)
    entry = Entry(at=NOW, user_id="U0ADA", channel_id="C1", word="deploy", what="take_lock", outcome="done")
    return locks.taken(LockChanged(act="take", lock=lock, again=again, entry=entry))


def pending(parameters: dict[str, ParameterValue]) -> Pending:
    wish = Deployment(project_slug=SLUG, project_title=TITLE, ref=MAIN, parameters=parameters)
    return Pending(id="x", wish=wish, asker=ADA, asked_at=NOW)


def stopped(again: str) -> list[Message]:
    """Return each message that offers a command once more."""
    told = "Declined."
    return [
        taken(again),
        locks.free(NothingToDo("not_locked_any_more", what=f"{TITLE} main", again=again), "It is free."),
        endings.as_told(pending({}), End(shown=told, told=f"{told} `/ci {again}` asks again.", again=again)),
    ]


def test_what_was_stopped_is_shown_before_it_is_done() -> None:
    for message in stopped(STOPPED):
        assert any(f"{TITLE} main" in said and STOPPED in said for said in buttons(message).values())


def test_where_a_dialog_has_no_room_for_it_there_is_the_line_to_type() -> None:
    for message in stopped(LONG):
        assert not any(label.startswith(("Deploy", "Ask again")) for label in buttons(message))
        assert LONG in shown(message)


@pytest.mark.parametrize(("value", "is_pressed"), [("prod", True), ("x" * 300, False)])
def test_a_deploy_that_ran_nothing_is_pressed_again_or_typed(value: str, *, is_pressed: bool) -> None:
    pipeline = Pipeline(id=PipelineId("p"), number=2417, project_slug=SLUG, state="errored", created_at=NOW)
    build = Build(pipeline=pipeline, runs=(), read_at=NOW)
    watch = Watch(
        id="w",
        pipeline_id=pipeline.id,
        pipeline_number=2417,
        project_slug=SLUG,
        project_title=TITLE,
        ref=MAIN,
        thread=Place(channel_id="C1"),
        asked_at=NOW,
        parameters={"env": value},
    )
    made = list(outcome_buttons(build, watch, State.COULD_NOT_RUN))
    assert [f"deploy {SLUG} main env={value}" in asked(one) for one in made] == [True] * is_pressed
    assert (f"env={value}" in to_be_typed(build, watch, State.COULD_NOT_RUN)) is not is_pressed
    refused = pipeline.model_copy(update={"errors": (PipelineError(type="config", message="Cannot find a job"),)})
    broken = build.model_copy(update={"pipeline": refused})  # it would fail again, until it is repaired
    assert list(outcome_buttons(broken, watch, State.COULD_NOT_RUN)) == []
    assert f"env={value}" in to_be_typed(broken, watch, State.COULD_NOT_RUN)


def refused(name: str) -> Message:
    key = f"{SLUG} {name}"
    return locks.refused(Locked(f"{TITLE} {name}", key=key, holder_id="U0GRACE", reason="", age=timedelta(0)))


def test_a_lock_is_named_before_it_is_taken_or_removed() -> None:
    assert f"{TITLE} main" in buttons(refused("main"))["Take over"]
    assert f"{TITLE} main" in buttons(taken(""))["Unlock"]


def test_a_lock_whose_name_no_dialog_holds_is_typed() -> None:
    name = "b" * 280
    message = refused(name)
    assert list(buttons(message)) == ["Ask for it", "Tell me when it ends"]
    assert f"`/ci unlock {SLUG}:{name}` takes the lock away." in shown(message)
    assert buttons(taken("", Ref(name=name))) == {}


@pytest.mark.parametrize(
    "ask",
    [
        lambda one: gate.red(BranchIsRed(pending=one)),
        lambda one: gate.which_definition(one, [Definition(id="d", name="build")]),
        gate.to_be_typed,
    ],
)
def test_a_question_shows_all_that_its_answer_starts_or_cannot_be_answered(ask: Callable[[Pending], Message]) -> None:
    given = pending({"env": "prod", "note": "a  b", "force": True})
    message = ask(given)
    assert all(one in shown(message) for one in ("main", "env=prod", 'note="a', "force=true"))
    assert buttons(message)
    too_much = ask(pending({f"p{number}": "x" * 500 for number in range(40)}))
    assert buttons(too_much) == {}
    assert "nothing can be pressed here" in shown(too_much)


@pytest.mark.parametrize(
    ("value", "read", "note"),
    [
        ("pr\u200bod", r'env="pr\u200bod"', "holds what nobody sees: `pr[U+200B]od`"),
        ("pr\u043ed", "env=pr\u043ed", "mixes Latin and Cyrillic letters: `pr[U+043E]d`"),
        ("a   b", r'env="a\u0020\u0020 b"', ""),
    ],
    ids=ascii,
)
def test_a_value_is_read_in_a_question_as_it_is(value: str, read: str, note: str) -> None:
    asking = pending({"env": value})
    for message in (
        agreement.request(asking, Shipment()),
        gate.red(BranchIsRed(pending=asking)),
        gate.to_be_typed(asking),
    ):
        assert message is not None
        assert read in shown(message)
        assert note in shown(message)


def test_what_was_stopped_is_read_as_it_is() -> None:
    said = buttons(taken("deploy gh/acme/frontend main env=pr\u043ed"))["Deploy main"]
    assert "env=pr[U+043E]d Careful: this name mixes Latin and Cyrillic letters: env=pr[U+043E]d" in said


def test_a_dialog_is_whole_or_is_none() -> None:
    assert asks("Sure?", "x" * LONGEST, "Yes", "No") is not None
    assert asks("Sure?", "x" * (LONGEST + 1), "Yes", "No") is None
    assert asks("Sure?", "&" * 70, "Yes", "No") is None  # each is five characters to Slack
    assert act_button(LONG, "Deploy main") is None


def test_who_is_to_agree_reads_who_may_what_is_built_and_who_let_it_go_on_over_red() -> None:
    vcs = {"revision": "38c6d84" + "0" * 33, "branch": "main"}
    built = Pipeline.model_validate({"id": "p", "number": 7, "project_slug": SLUG, "created_at": NOW, "vcs": vcs})
    asking = pending({}).model_copy(update={"over_red": "<grace>"})
    message = agreement.request(asking, Shipment(built=built), ("members", "operators"))
    assert message is not None
    assert "It builds `38c6d84` · #7." in shown(message).replace("  ", " ")
    assert "The branch was not green; &lt;grace&gt; let it be deployed all the same." in shown(message)
    assert "Who may deploy it can agree: members, operators." in str(message.blocks[-1])
