"""Why nothing was done: as the build stands, and with the line that helps, filled in."""

from datetime import UTC, datetime

import pytest

from bot.errors import AskedAlready, NothingToDo, Taken, as_told_to
from bot.models import spelling
from bot.models.build import State
from formatters.nothing import nothing


def _own(why: str, what: str = "") -> NothingToDo:
    error = NothingToDo(why, what=what, number=2422, state=State.RUNNING, person_id="U0GRACE")
    error.is_own = True
    return error


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (
            NothingToDo("already_running", number=2422, state=State.ON_HOLD),
            "#2422 waits for an approval, and has not ended: what has ended can run again.",
        ),
        (
            NothingToDo("already_running", number=2422, state=State.RUNNING),
            "I started nothing, for what has ended can run again: #2422 is running. The thread has the news.",
        ),
        (
            NothingToDo("already_running", number=2422, state=State.RUNNING, person_id="U0GRACE"),
            "<@U0GRACE> was first to rerun it: #2422 is running. The thread has the news.",
        ),
        (
            NothingToDo("older_by_now", number=2422, what="rerun gh/acme/frontend #2421"),
            (
                "#2422 of the same branch began while this waited for its turn, so that it is about an older "
                "build by now. Nothing was done. `/ci rerun gh/acme/frontend #2421` asks for it."
            ),
        ),
        (
            NothingToDo("ran_elsewhere", number=2422, state=State.FAILED, what="rerun gh/acme/frontend #2422"),
            (
                "Somebody ran #2422 again elsewhere while this waited for its turn, so I started nothing. By now #2422 "
                "failed. `/ci rerun gh/acme/frontend #2422` runs it once more."
            ),
        ),
        (_own("taken_back", "acme/frontend main"), "You took it back: acme/frontend main is not deployed."),
        (
            NothingToDo("taken_back", what="acme/frontend main", person_id="U0GRACE"),
            "<@U0GRACE> took it back: acme/frontend main is not deployed.",
        ),
        (
            NothingToDo("taken_back", what="acme/frontend main"),
            "Who asked for it took it back: acme/frontend main is not deployed.",
        ),
        (_own("already_running"), "You have rerun it already: #2422 is running. The thread has the news."),
        (
            NothingToDo("nothing_to_rerun", number=2422, state=State.WAITING, what="deploy gh/acme/frontend main"),
            "#2422 waits for its turn, and has not ended: what has ended can run again.",
        ),
        (
            NothingToDo("nothing_to_rerun", number=2401, state=State.COULD_NOT_RUN, what="deploy gh/acme/backend main"),
            "#2401 has no workflow that can run again. `/ci deploy gh/acme/backend main` starts a new pipeline.",
        ),
        (
            NothingToDo("nothing_to_rerun", number=2401, state=State.COULD_NOT_RUN),
            "#2401 has no workflow that can run again.",
        ),
        (
            NothingToDo("nothing_to_rerun", number=2417, state=State.PASSED, what="rerun gh/acme/frontend #2417 all"),
            "#2417 passed, and nothing of it failed. `/ci rerun gh/acme/frontend #2417 all` runs all of it again.",
        ),
        (
            NothingToDo("not_locked", what="acme/frontend", again="unlock gh/acme/frontend:main"),
            "acme/frontend is not locked. `/ci unlock gh/acme/frontend:main` unlocks a part of it.",
        ),
        (NothingToDo("not_locked", what="acme/frontend"), "acme/frontend is not locked."),
    ],
)
def test_it_is_said_how_it_stands_and_what_helps(problem: NothingToDo, said: str) -> None:
    assert nothing(problem) == said


@pytest.mark.parametrize(
    "error",
    [
        Taken("U0GRACE", "deploy acme/mobile main"),
        Taken("U0GRACE", "deploy acme/mobile main", number=2422),
        AskedAlready("U0GRACE", "deploy acme/mobile main", asked_at=datetime(2026, 11, 29, tzinfo=UTC), url=""),
        *(NothingToDo(why, person_id="U0GRACE") for why in ("decided_already", "done_otherwise", "declined")),
        *(
            NothingToDo(why, person_id="U0GRACE", state=State.RUNNING)
            for why in ("already_running", "approved_already")
        ),
    ],
)
def test_nobody_reads_of_themselves_by_name(error: Taken | AskedAlready | NothingToDo) -> None:
    as_told_to(error, "U0ADA")
    assert "<@U0GRACE>" in nothing(error)
    as_told_to(error, "U0GRACE")
    assert "<@U0GRACE>" not in nothing(error)
    assert nothing(error).startswith("You ")


@pytest.mark.parametrize("value", ["one\ntwo", "a\tb", "a  b", "\u200b", "“q” 'r' \"s\" «t» „u“ ‘v’ w"])
def test_a_line_that_cannot_be_typed_as_it_stands_is_not_named(value: str) -> None:
    told = nothing(NothingToDo("more_of_you", what=spelling.deploy("gh/acme/frontend", None, {"x": value})))
    assert "No command can be typed that means the same" in told
    assert "/ci" not in told
    plain = nothing(NothingToDo("more_of_you", what=spelling.deploy("gh/acme/frontend", None, {"x": "1"})))
    assert 'Type `/ci deploy gh/acme/frontend x="1"`: I ask for the rest then.' in plain
