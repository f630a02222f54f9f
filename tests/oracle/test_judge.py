"""A lock is whose people were told that it is: what an old button or a refusal leaves as it was gives it to nobody."""

from datetime import UTC, datetime

import pytest

from bot.answers.acts import LockChanged
from bot.models.audit import Entry
from bot.models.circleci import ProjectSlug
from bot.models.lock import Lock
from formatters import locks
from playground.circleci.world import default_world
from playground.clock import Clock
from tests.oracle.judge import HOLDS, LIFTED, Did, Judge
from tests.oracle.ledger import Act
from tests.oracle.rules import Person, Ref, Rule, Rules
from tests.oracle.wants import Want

SLUG, TAG = "gh/acme/frontend", Ref("v2.0", "tag")
ADA, ADMIN = Person("U0ADA"), Person("U0ADMIN", is_admin=True)
DEPLOY = Act("deploy", SLUG, TAG, "", accepted=True, may_have_been=True)
TAKEN = "You hold the lock on acme/frontend tag v2.0 now. Who held it has been told."


def did(person: Person, word: str) -> Did:
    return Did(person, "C0DEPLOYS", f"{word} of {person.user_id}", (Want(word, SLUG, TAG),))


@pytest.mark.parametrize(
    ("told", "wrong_of_ada", "wrong_of_admin"),
    [
        ("There is another lock by now: @ada locked acme/frontend tag v2.0 just now. It was not taken over.", 0, 1),
        ("You may not look at this here: no rule allows it.", 0, 1),
        ("", 0, 1),
        (TAKEN, 1, 0),
    ],
    ids=["an old button", "who may not look", "nothing came of it", "taken over"],
)
def test_a_lock_is_whose_it_was_said_to_be(told: str, wrong_of_ada: int, wrong_of_admin: int) -> None:
    rules = Rules(rules=(Rule("all", "allow", ("everyone",), ("*",)),))
    judge = Judge(rules, default_world(Clock()))
    list(judge.wrong([did(ADA, "lock")], [], {ADA.user_id: "acme/frontend tag v2.0 is locked. I refuse deploys of it"}))
    list(judge.wrong([did(ADMIN, "take")], [], {ADMIN.user_id: told}))
    for person, wrong in ((ADA, wrong_of_ada), (ADMIN, wrong_of_admin)):
        assert len(list(judge.wrong([did(person, "deploy")], [DEPLOY], {}))) == wrong


def test_the_judge_reads_what_people_are_told() -> None:
    at = datetime(2026, 11, 29, tzinfo=UTC)
    lock = Lock(project_slug=ProjectSlug(SLUG), project_title="acme/frontend", holder_id="U0ADA", since=at)
    entry = Entry(at=at, user_id="U0ADA", channel_id="C0DEPLOYS", word="deploy", what="lock acme/frontend")
    told = LockChanged(act="lock", lock=lock, before=lock, entry=entry)
    for say in (locks.locked, locks.locked_again, locks.taken):
        assert any(words in say(told).text for words in HOLDS)
    for still in (None, lock):
        assert any(words in locks.unlocked(told.model_copy(update={"still": still})).text for words in LIFTED)
