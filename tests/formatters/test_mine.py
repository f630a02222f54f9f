"""Somebody's own builds: what is not shown is said, and what anybody chose cannot pass for anything else."""

from typing import Any

import pytest

from bot.actions import RunCommand
from bot.answers.mine import MyBuild, MyBuilds, MyWait
from bot.models.build import Run
from bot.models.circleci import Job, JobId
from formatters.blocks import MAX_BUTTONS, Message
from formatters.limits import violations
from formatters.links import Links
from formatters.mine import mine
from tests.watching.test_trouble import build

HOSTILE = "<!channel> *x* `y` <@U0ADA|you>" * 20


def own(status: str = "success", holds: int = 0, **more: object) -> MyBuild:
    seen = build(status)
    jobs = [Job(id=JobId(f"j{at}"), name=f"hold-{at}", type="approval", status="on_hold") for at in range(holds)]
    seen = seen.model_copy(update={"runs": (Run(workflow=seen.runs[0].workflow, jobs=tuple(jobs)),)})
    return MyBuild.model_validate({"title": "acme/frontend", "build": seen, "is_asked": True, **more})


def said(message: Message) -> str:
    """Return all that is read of a message that Slack takes, but its buttons."""
    assert violations(message) == []
    read = [one for block in message.blocks for one in (block.get("text"), *block.get("elements", [])) if one]
    return "\n".join(one["text"] for one in read if isinstance(one.get("text"), str))


def of_actions(message: Message) -> list[dict[str, Any]]:
    """Return the buttons of a message."""
    return [one for block in message.blocks if block["type"] == "actions" for one in block["elements"]]


def test_what_is_not_shown_is_said_with_the_way_to_it() -> None:
    text = said(mine(MyBuilds(builds=(own(),), more=3, more_waiting=2, unread=1, days=7), Links()))
    assert "And 5 more: `/ci status &lt;project&gt; &lt;branch&gt;` shows those of a branch." in text
    assert "CircleCI did not say how 1 more build stands." in text
    assert "of the last 7 days" in text
    assert "And at least 42 more" in said(mine(MyBuilds(builds=(own(),), more=42, full=True, days=1), Links()))
    assert "how your 2 builds stand" in said(mine(MyBuilds(unread=2, days=1), Links()))


def test_what_waits_for_an_approval_of_theirs_has_a_button_each_as_many_as_fit() -> None:
    message = mine(MyBuilds(builds=(own("on_hold", 40, may_approve=True),), days=1), Links())
    buttons = of_actions(message)
    assert 0 < len(buttons) <= MAX_BUTTONS
    assert f"{40 - len(buttons)} more buttons did not fit" in said(message)
    assert message.text == "Your builds: 1 thing waits for you, 1 build not over yet."
    alone = mine(MyBuilds(builds=(own("on_hold", 1),), days=1), Links())
    assert "hold-0 waits for an approval" in said(alone)
    assert "actions" not in [block["type"] for block in alone.blocks]


def test_names_that_others_chose_ping_and_forge_nothing() -> None:
    wait = MyWait(kind="deploy", target=HOSTILE, waits_for="me", asker_name=HOSTILE)
    text = said(mine(MyBuilds(waiting=(wait,) * 5, builds=(own(title=HOSTILE),) * 8, days=30), Links()))
    assert "<!channel>" not in text
    assert "<@U0ADA" not in text


def test_what_waits_for_somebody_else_alone_is_not_said_to_wait_for_me() -> None:
    wait = MyWait(kind="rerun", target="acme/frontend main #2417", waits_for="else")
    message = mine(MyBuilds(waiting=(wait,), days=30), Links())
    assert message.text == "Your builds: something waits for somebody else."
    assert "Waits for a second person* · your rerun of acme/frontend main #2417" in said(message)


def test_a_build_that_circleci_was_silent_about_says_so() -> None:
    assert "as I last saw it" in said(mine(MyBuilds(builds=(own("running", is_silent=True),), days=30), Links()))


def test_what_was_asked_to_be_approved_waits_for_a_second_person_and_has_no_button() -> None:
    message = mine(MyBuilds(builds=(own("on_hold", 2, may_approve=True, asked_for=("j0",)),), days=1), Links())
    assert "hold-1 waits for your approval · hold-0 waits for a second person" in said(message)
    assert [one["text"]["text"] for one in of_actions(message)] == ["Approve hold-1 of #2417"]
    alone = mine(MyBuilds(builds=(own("on_hold", 1, may_approve=True, asked_for=("j0",)),), days=1), Links())
    assert "hold-0 waits for a second person" in said(alone)
    assert of_actions(alone) == []
    assert alone.text == "Your builds: 1 build not over yet."


@pytest.mark.parametrize(
    ("wait", "reads", "button", "is_sure"),
    [
        ({"kind": "deploy", "line": "deploy x/y main"}, "your deploy of x/y main", "Ask again: x/y main", True),
        ({"kind": "rerun", "line": "rerun x/y #7", "channel_id": "C0X"}, "· in <#C0X>", "Ask again: x/y main", True),
        (
            {"kind": "deploy", "line": "deploy x/y main", "channel_id": "C0X", "is_reached": False},
            "· in <#C0X> · `/ci deploy x/y main` there asks it again",
            "",
            False,
        ),
        (
            {"kind": "approve", "job_name": "hold", "line": "approve x/y #7"},
            "approval of hold in x/y",
            "Ask again:",
            False,
        ),
        ({"kind": "approve", "job_name": "hold", "asker_name": "ada"}, "the approval of hold in x/y", "", False),
    ],
)
def test_a_question_that_was_whispered_is_asked_again_where_it_was_asked(
    wait: dict[str, object], reads: str, button: str, is_sure: bool
) -> None:
    one = MyWait.model_validate({"target": "x/y main", "waits_for": "me", **wait})
    message = mine(MyBuilds(waiting=(one,), days=30), Links())
    assert reads in said(message)
    made = of_actions(message)
    assert bool(made) == bool(button)
    for each in made:
        assert each["text"]["text"].startswith(button)
        assert ("confirm" in each) == is_sure
        assert RunCommand.unpack(each["value"]) == RunCommand(text=one.line, channel_id=one.channel_id)
