"""What looks alike is shown as such, and what nobody sees is seen."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answers.acts import LockChanged
from bot.answers.locks import Locks, WillTell
from bot.answers.questions import BranchIsRed
from bot.errors import Locked
from bot.models.audit import Entry
from bot.models.build import Build, Run, Shipment
from bot.models.caller import Caller
from bot.models.circleci import Definition, Job, JobId, Pipeline, PipelineId, ProjectSlug, Ref, Workflow, WorkflowId
from bot.models.lock import Lock, Over
from bot.models.pending import Approval, Deployment, Pending, Runs, Seen
from formatters import agreement, gate, lock_news, locks
from formatters.blocks import MAX_SECTION, Message, clean, confirm, literal
from formatters.buttons import approve_button, cancel_button
from formatters.limits import violations
from formatters.lookalikes import MOST_NOTES, careful, careful_plainly
from formatters.unseen import unseen

NOTES = [
    ("m\u0430in", "mixes Latin and Cyrillic letters: `m[U+0430]in`"),
    ("acme/web \u043cain", "mixes Latin and Cyrillic letters: `acme/web [U+043C]ain`"),
    ("rel\u03b5ase/v2", "mixes Latin and Greek letters: `rel[U+03B5]ase/v2`"),
    ("\u0440r\u03bfd", "mixes Latin and Cyrillic and Greek letters: `[U+0440]r[U+03BF]d`"),
    ("deploy-\u0570old", "mixes Latin and Armenian letters: `deploy-[U+0570]old`"),
    ("\u13dael", "mixes Latin and Cherokee letters: `[U+13DA]el`"),
    ("release/\u0430\u0440\u0440", "looks Latin and is Cyrillic: `release/[U+0430][U+0440][U+0440]`"),
    ("v2-\u03bf", "looks Latin and is Greek: `v2-[U+03BF]`"),
    ("\uff4dain", "holds letters that look like others: `[U+FF4D]ain`"),
    ("\U0001d426ain", "holds letters that look like others: `[U+1D426]ain`"),
    ("v\u00b2", "holds letters that look like others: `v[U+00B2]`"),
    ("m\u0251in", "holds letters that look like others: `m[U+0251]in`"),
    ("\u1d0dain", "holds letters that look like others: `[U+1D0D]ain`"),
    ("release\u2215v2", "holds signs that look like others: `release[U+2215]v2`"),
    ("v2\u20240", "holds signs that look like others: `v2[U+2024]0`"),
    ("ma\u200bin", "holds what nobody sees: `ma[U+200B]in`"),
    ("main\u3164", "holds what nobody sees: `main[U+3164]`"),
    ("hold\u00a0prod", "holds what nobody sees: `hold[U+00A0]prod`"),
    ("main\ufe0f", "holds what nobody sees: `main[U+FE0F]`"),
    ("\u202emain", "holds what nobody sees: `[U+202E]main`"),
    ("m\u0430i\u200dn", "mixes Latin and Cyrillic letters and holds what nobody sees: `m[U+0430]i[U+200D]n`"),
]
PLAIN = (
    *(
        "main",
        "release/v2.0",
        "größe",
        "e\u0301te",
        "İstanbul",
        "ветка",
        "feature/ветка",
        "κλάδος",
        "fix/修正",
        "機能-テスト",
    ),
    *(
        "feature/שלום",
        "ميزة",
        "기능",
        "🚀 deploy",
        "⚙\ufe0f build",
        "👩\u200d💻 review",
        "1\ufe0f\u20e3 first",
        "hold prod",
        "",
    ),
)


@pytest.mark.parametrize(("name", "words"), NOTES, ids=[ascii(name) for name, _ in NOTES])
def test_a_name_that_looks_like_another_is_noted_and_spelled_out(name: str, words: str) -> None:
    assert careful("main", name) == f"Careful: this name {words}."
    assert careful_plainly("main", name) == f"Careful: this name {words}".replace("`", "")


@pytest.mark.parametrize("name", PLAIN, ids=ascii)
def test_a_name_in_one_writing_or_in_writings_that_nobody_confuses_is_not(name: str) -> None:
    assert careful(name) == careful_plainly(name) == ""


def test_each_name_is_noted_once_and_many_are_counted() -> None:
    odd = [f"m\u0430in-{number}" for number in range(MOST_NOTES + 2)]
    assert careful(odd[0], odd[0]).count("Careful") == 1
    assert careful(*odd).count("Careful") == MOST_NOTES
    assert careful(*odd).endswith("And 2 more names like that.")


@given(st.lists(st.text(), max_size=6))
def test_a_note_fits_wherever_it_stands(names: list[str]) -> None:
    assert len(careful(*[f"{name}m\u0430in" * 100 for name in names])) < MAX_SECTION / 2
    sure = confirm("Sure?", "x" * 400, "Yes", "No", note=careful_plainly(*names))
    assert len(sure["text"]["text"]) <= 300
    assert sure["text"]["text"].endswith(careful_plainly(*names))


UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b\u180e\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202e\u2060\u2066"
    "\u2800\u3164\ufe00\ufe0e\ufe0f\ufeff\uffa0\ufff9\ufffa\ufffb\U000e0001\U000e0041\U000e007f\U000e0100\U00016fe4"
)


@pytest.mark.parametrize("character", UNSEEN, ids=ascii)
def test_what_nobody_sees_is_a_blank_in_what_is_shown(character: str) -> None:
    assert clean(f"ma{character}in") == "ma in"
    assert literal(f"ma{character}{character}in") == "ma in"
    assert unseen(f"ma{character}in") == {2}


@pytest.mark.parametrize(
    "text",
    [
        *(
            "👩\u200d👩\u200d👧\u200d👦",
            "🏳\ufe0f\u200d🌈",
            "🕵🏻\u200d♂\ufe0f",
            "❤\ufe0f",
            "☎\ufe0e",
            "1\ufe0f\u20e3",
            "🇩🇪",
            "👍🏽",
        ),
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    ],
    ids=ascii,
)
def test_an_emoji_keeps_what_is_its_own(text: str) -> None:
    assert clean(f"a {text} b") == f"a {text} b"


def test_a_flag_hides_no_text() -> None:
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "deploy everything")
    assert clean(f"\U0001f3f4{hidden}\U000e007f") == "\U0001f3f4"


ODD, NOW = "m\u0430in", datetime(2026, 11, 20, 10, tzinfo=UTC)
REF, SLUG = Ref(name=ODD), ProjectSlug("gh/acme/web")
DEPLOYMENT = Deployment(project_slug=SLUG, project_title="acme/web", ref=REF)
APPROVAL = Approval(
    project_slug=SLUG,
    project_title="acme/web",
    ref=Ref(name="main"),
    pipeline_id=PipelineId("p"),
    pipeline_number=7,
    approval_request_id="a",
    job_name=ODD,
)
LOCK = Lock(project_slug=SLUG, project_title="acme/web", ref=REF, holder_id="U0ADA", since=NOW)
JOB = Job(id=JobId("j"), name=ODD, status="on_hold", type="approval")
RUN = Run(workflow=Workflow(id=WorkflowId("w"), name="build", status="on_hold", created_at=NOW))
ODD_RUN = RUN.model_copy(update={"workflow": RUN.workflow.model_copy(update={"name": ODD})})
BUILD = Build(pipeline=Pipeline(id=PipelineId("p"), number=7, project_slug=SLUG, created_at=NOW), read_at=NOW)


def pending(wish: Deployment | Approval, seen: Seen | None = None) -> Pending:
    asker = Caller(person_id="U0ADA", delivery_id="d")
    return Pending(id="d", wish=wish, asker=asker, asked_at=NOW, seen=seen or Seen())


def refused_by(lock: Lock, word: str = "deploy") -> Message:
    age = timedelta(minutes=1)
    return locks.refused(Locked(lock.target, key=lock.key, holder_id="U0ADA", reason="", age=age, word=word))


def changed(lock: Lock) -> LockChanged:
    entry = Entry(at=NOW, user_id="U0ADA", channel_id="C0DEPLOYS", word="deploy", what="lock")
    return LockChanged(act="lock", lock=lock, entry=entry)


AGREED_TO: dict[str, Callable[[], Message | None]] = {
    "a deploy's second person": lambda: agreement.request(pending(DEPLOYMENT), Shipment(commits=())),
    "an approval's": lambda: agreement.request(pending(APPROVAL), Shipment(commits=())),
    "jobs that run behind it": lambda: agreement.request(
        pending(APPROVAL.model_copy(update={"job_name": "hold"}), Seen(runs=Runs(behind=("a", ODD)))),
        Shipment(commits=()),
    ),
    "typed": lambda: gate.to_be_typed(pending(DEPLOYMENT)),
    "an approval typed": lambda: gate.to_be_typed(pending(APPROVAL)),
    "over a red branch": lambda: gate.red(BranchIsRed(pending=pending(DEPLOYMENT))),
    "a choice": lambda: gate.which_definition(pending(DEPLOYMENT), [Definition(id="1", name="a")]),
    "locked": lambda: locks.locked(changed(LOCK)),
    "unlocked": lambda: locks.unlocked(changed(LOCK)),
    "refused by a lock": lambda: refused_by(LOCK),
    "locked already": lambda: refused_by(LOCK, "lock"),
    "taken": lambda: locks.taken(changed(LOCK)),
    "locked again": lambda: locks.locked_again(changed(LOCK)),
    "asked for": lambda: locks.asked_for(LOCK, "U0GRACE", "approve gh/acme/web #7"),
    "to be told": lambda: locks.will_tell(WillTell(lock=LOCK)),
    "the channel hears": lambda: lock_news.news(LOCK),
    "the channel hears who took it over": lambda: lock_news.news(
        LOCK, LOCK.model_copy(update={"holder_id": "U0GRACE"})
    ),
    "what is left of that": lambda: lock_news.changed(LOCK, LOCK),
    "what is left at the end": lambda: lock_news.was(Over(lock=LOCK)),
    "the channel hears of the end": lambda: lock_news.over(Over(lock=LOCK)),
    "the channel hears who lifted it": lambda: lock_news.over(Over(lock=LOCK, by_id="U0GRACE", by_name="grace")),
    "whoever waited": lambda: lock_news.free(Over(lock=LOCK), f"deploy {SLUG} {REF}"),
    "whoever waited for more": lambda: lock_news.free(Over(lock=LOCK), "", "acme/web"),
    "whose it was": lambda: lock_news.was_taken(LOCK, "U0GRACE"),
    "all locks": lambda: locks.all_locks(Locks(locks=(LOCK,), read_at=NOW)),
}


@pytest.mark.parametrize("where", AGREED_TO)
def test_whoever_agrees_or_is_told_of_a_lock_reads_the_note(where: str) -> None:
    message = AGREED_TO[where]()
    assert message is not None
    assert "Careful: this name mixes Latin and Cyrillic letters: `" in json.dumps(message.blocks, ensure_ascii=False)
    assert violations(message) == []


@pytest.mark.parametrize(
    "button",
    [
        cancel_button("p", 7, "acme/web", REF),
        approve_button(JOB, RUN, BUILD, "acme/web"),
        approve_button(JOB.model_copy(update={"name": "hold"}), ODD_RUN, BUILD, "acme/web"),
    ],
    ids=["cancel", "approve", "approve in a workflow"],
)
def test_a_dialog_says_it_too(button: dict[str, dict[str, dict[str, str]]]) -> None:
    assert "Careful: this name mixes Latin and Cyrillic letters: m[U+0430]in" in button["confirm"]["text"]["text"]
