"""What people read of what was kept: the record of acts, old and new."""

from datetime import UTC, datetime

import pytest

from bot.actions import CancelJob
from bot.answers.people import Record
from bot.models.audit import Entry, Outcome
from bot.routing import Router
from commands import register
from formatters.audit import _PRESSED, audit
from formatters.limits import violations

OLD = Entry(
    at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
    user_id="U0ADA",
    user_name="ada",
    channel_id="C0REL",
    word="deploy",
    what="deploy acme/frontend main",
    rule="members deploy",
    result="#2417 of acme/frontend main",
)


def lines(*entries: Entry) -> list[str]:
    message = audit(Record(period="7d", entries=entries))
    assert violations(message) == []
    return [line[line.index("ada · ") :] for line in message.blocks[0]["text"]["text"].splitlines()[1:]]


def test_an_entry_says_who_what_what_came_of_it_and_the_rule() -> None:
    new = OLD.model_copy(update={"about": "acme/frontend main", "outcome": Outcome.DONE, "project_slug": "gh/a/f"})
    told = "ada · `deploy acme/frontend main` · #2417 of acme/frontend main · by “members deploy”"
    assert lines(OLD, new) == [told, told]


def test_who_was_refused_by_something_else_is_not_told_of_the_rule_that_lets_them() -> None:
    refused = OLD.model_copy(update={"outcome": Outcome.REFUSED})
    locked = refused.model_copy(update={"result": "acme/frontend main is locked by grace"})
    by_rule = refused.model_copy(update={"result": "You may not deploy (acme/frontend main) here: members deploy."})
    assert lines(locked)[0].endswith("· acme/frontend main is locked by grace")
    assert lines(by_rule)[0].endswith("members deploy. · by “members deploy”")


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        ("<@U0GRACE> was first", "grace was first"),
        ("<@U0GONE> was first", "U0GONE was first"),
        ("asked at <!date^1795942178^{time}|08:49 UTC>, still open", "asked at 2026-11-29 08:49 UTC, still open"),
        ("open: <https://acme.slack.com/p1|the request>", "open: the request"),
        ("in <#C0DEPLOYS|deploys> <!here> <!date^9" + "9" * 30 + "^{time}|soon>", "in deploys here soon"),
        ("open: <https://acme.slack.com/p1|the re", "open: the re"),
        ("a < b and <nil>", "a &lt; b and &lt;nil&gt;"),
    ],
)
def test_an_old_entry_is_shown_without_its_markup(result: str, shown: str) -> None:
    grace = OLD.model_copy(update={"user_id": "U0GRACE", "user_name": "grace"})
    message = audit(Record(period="7d", entries=(OLD.model_copy(update={"result": result}), grace)))
    assert f" · {shown} · by “members deploy”" in message.blocks[0]["text"]["text"].splitlines()[1]


def test_what_an_act_is_about_is_said_where_its_name_does_not() -> None:
    assert (
        "`cancel #2417` (acme/frontend main) · "
        in lines(OLD.model_copy(update={"what": "cancel #2417", "about": "acme/frontend main"}))[0]
    )


def test_who_agreed_is_said_by_name_and_never_pinged() -> None:
    named = OLD.model_copy(update={"agreed_id": "U0GRACE", "agreed_name": "grace"})
    assert lines(named)[0].endswith("by “members deploy” · agreed by grace")
    unnamed = OLD.model_copy(update={"agreed_id": "U0GRACE"})
    assert lines(unnamed)[0].endswith(" · agreed by U0GRACE")


@pytest.mark.parametrize(
    ("outcome", "begins"),
    [
        (Outcome.DONE, "✅ Done · "),
        (Outcome.REFUSED, "🚫 Refused · "),
        (Outcome.FAILED, "❌ Failed · "),
        (None, "<!date"),
    ],
)
def test_an_entry_begins_with_how_it_ended(outcome: Outcome | None, begins: str) -> None:
    message = audit(Record(period="7d", entries=(OLD.model_copy(update={"outcome": outcome}),)))
    assert message.blocks[0]["text"]["text"].splitlines()[1].startswith(begins)


@pytest.mark.parametrize(("number", "counted"), [(60, "60 acts"), (1000, "1000 acts"), (1001, "More than 1,000 acts")])
def test_what_does_not_fit_is_counted_and_how_to_reach_it_is_said(number: int, counted: str) -> None:
    message = audit(Record(period="7d", entries=(OLD,) * number))
    assert violations(message) == []
    said = message.blocks[0]["text"]["text"].splitlines()
    assert said[0].startswith(f"*{counted} in the last 7 days")
    shown = len(said) - 2
    left = f"{min(number, 1000) - shown}"
    assert said[-1].startswith(f"and {left} older: name a project, a person or a shorter time")


def test_every_button_that_acts_has_words_for_the_record() -> None:
    router = register(Router())
    looks = {name for name, one in router.actions.items() if one.permission == "read"}
    assert {*router.actions, *router.forms} - looks == {*_PRESSED, CancelJob.action_id}
