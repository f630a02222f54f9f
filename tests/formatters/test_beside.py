"""What is said of a colleague's deploy is what was asked for, and how it stood at the last look: no more is known."""

from datetime import UTC, datetime

import pytest

from bot.answers.questions import StillRuns
from bot.models.attempt import Attempt
from bot.models.beside import Beside
from bot.models.build import State
from bot.models.caller import Caller, Place
from bot.models.circleci import PipelineId, ProjectSlug, Ref
from bot.models.pending import Deployment, Pending
from formatters import gate
from formatters.links import Links

AT = datetime(2026, 3, 2, 18, 12, tzinfo=UTC)
SLUG, MAIN = ProjectSlug("gh/acme/api"), Ref(name="main")
MOMENT = f"<!date^{int(AT.timestamp())}^{{date_short_pretty}} {{time}}|2026-03-02 18:12 UTC>"


def _attempt(name: str = "ada", number: int | None = 7, **more: object) -> Attempt:
    known = {"id": f"{name}{number}", "project_slug": SLUG, "project_title": "acme/api", "ref": MAIN, "asked_at": AT}
    started = {"pipeline_id": PipelineId(f"p{number}"), "pipeline_number": number} if number else {}
    people = {"thread": Place(channel_id="C1"), "asker_id": f"U{name}", "asker_name": name}
    return Attempt.model_validate({**known, **started, **people, **more})


def _said(*others: Beside) -> str:
    wish = Deployment(project_slug=SLUG, project_title="acme/api", ref=MAIN)
    pending = Pending(id="D1", wish=wish, asker=Caller(person_id="U1", delivery_id="D1"), asked_at=AT)
    return gate.still_runs(StillRuns(pending=pending, others=others), Links()).text


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (
            Beside(asked=_attempt(number=None)),
            f"@ada asked for a deploy of acme/api main ({MOMENT}), which CircleCI has not answered yet.",
        ),
        (
            Beside(asked=_attempt()),
            f"@ada deployed acme/api main as #7 (asked for: {MOMENT}), which has not begun as far as I know.",
        ),
        (
            Beside(asked=_attempt(parameters={"env": "prod"}), state=State.WAITING),
            f"@ada deployed acme/api main with `env=prod` as #7 (asked for: {MOMENT}), which has not begun",
        ),
        (Beside(asked=_attempt(), state=State.RUNNING), "), which was running at my last look."),
        (Beside(asked=_attempt(), state=State.UNKNOWN), "), which had not ended at my last look."),
        (
            Beside(asked=_attempt(), state=State.ON_HOLD, held_since=AT),
            f"), which at my last look waited for an approval since {MOMENT}.",
        ),
        (
            Beside(asked=_attempt("grace", reran="w1"), deployed=_attempt(), state=State.RUNNING),
            f"@ada deployed acme/api main as #7 (asked for: {MOMENT}), rerun by @grace ({MOMENT}), which was running",
        ),
        (
            Beside(asked=_attempt("grace", reran="w1")),
            f"@grace reran acme/api main #7 ({MOMENT}), at which I have not looked since.",
        ),
    ],
)
def test_each_is_said_as_it_stood(other: Beside, said: str) -> None:
    assert said in _said(other)
    assert "Yours would run beside it, if it has not ended by now." in _said(other)


def test_of_several_the_newest_are_named_and_the_others_counted() -> None:
    names = ("ada", "grace", "linus", "barbara", "edsger")
    said = _said(*(Beside(asked=_attempt(name, number)) for number, name in enumerate(names, start=1)))
    assert [name in said for name in names] == [True, True, True, False, False]
    assert "There are 2 more. Yours would run beside them, if they have not ended by now." in said


def test_of_ones_own_it_is_said_as_to_oneself() -> None:
    own, rerun = _attempt("1"), _attempt("1", reran="w1")
    both = _said(Beside(asked=rerun, deployed=own, state=State.RUNNING))
    assert f"You deployed acme/api main as #7 (asked for: {MOMENT}), rerun by you ({MOMENT})" in both
    assert "Another one would run beside it, if it has not ended by now." in both
    assert "Yours would run beside them" in _said(Beside(asked=own), Beside(asked=_attempt(number=8)))
