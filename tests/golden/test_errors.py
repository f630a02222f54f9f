"""Every error there is, in the words of `formatters/errors.py`, and what the operator reads."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from bot import errors as known
from bot.errors import (
    AskedAlready,
    BotError,
    Elsewhere,
    ForAPerson,
    Locked,
    MaybeTaken,
    NameUntold,
    NotAllowed,
    NotAsked,
    NotFound,
    NotHeard,
    NothingToCancelYet,
    NothingToDo,
    NotTriggered,
    PartlyDone,
    RateLimited,
    Rejected,
    Sentence,
    SlackError,
    SlackLimited,
    Slip,
    Spent,
    StoreError,
    Taken,
    TooLarge,
    TooMany,
    Unauthorized,
    Unavailable,
    Unbuilt,
    Unheard,
    Unreachable,
    Unreadable,
    UsageError,
    WhichJob,
)
from bot.models.caller import Place
from bot.models.circleci import PipelineId, ProjectSlug, Ref
from bot.models.help import CommandHelp
from bot.models.slack import Watch
from bot.routing import Router
from bot.settings import Projects
from bot.slack.offers import Vocabulary, offered
from commands import register
from formatters import errors, for_people, forms, nothing, replies, root
from formatters.blocks import Message
from formatters.links import Links
from tests.golden import transcript
from tests.golden.records import compare

DEPLOY = CommandHelp(
    name="deploy",
    group="Ship",
    summary="Start it.",
    usage="deploy <project> [<branch>]",
    example="deploy acme/frontend",
)
WITH_ENV = "deploy gh/acme/frontend main env=prod"


def unheard(line: str, *, between_two: bool = False, takes_two: bool = False, hidden: bool = False) -> Unheard:
    """Return the question about a line that is said where nobody would hear what comes of it."""
    names = {"names": "Project acme/frontend, branch main", "target": "main"}
    problem = Unheard(line, "acme/frontend main", **names, asked="t1")
    problem.is_between_two = between_two
    problem.takes_two, problem.is_hidden = takes_two, hidden
    return problem


def of_an_agent() -> tuple[BotError, ...]:
    """Return what is said of an agent whose request stands, or was agreed to in vain."""
    asked_at = datetime(2026, 11, 20, 10, 12, tzinfo=UTC)
    asked = AskedAlready("U0ADA", "acme/frontend main", asked_at=asked_at, url="https://acme.slack.com/archives/C/p1")
    asked.asker, asked.takes_two = "🤖 laptop (for ada)", False
    denied = NotAllowed("U0ADA", "deploy", "the agent laptop was removed", about="acme/frontend main")
    denied.is_of_another, denied.agent = True, "laptop"
    return asked, denied


MEANT: dict[str, Any] = {"what": "test", "number": 2417, "state": "passed", "person_id": "U0GRACE"}
ERRORS: dict[str, tuple[BotError, ...]] = {
    "error-usage": (
        UsageError("Which project should I deploy?", command="deploy"),
        UsageError("I expected name=value after the branch.", given="extra", command="deploy"),
        UsageError("I do not know this word.", given="deplyo", did_you_mean="deploy acme/frontend main"),
        WhichJob(
            "2 jobs of #2417 failed. Which one? `unit` `12`, `e2e` `13`.",
            project="gh/acme/frontend",
            number=2417,
            jobs=(("unit", 12), ("e2e", 13)),
            failed=True,
        ),
    ),
    "error-sentence": (
        Sentence("deploy", ("deploy acme/frontend main",), is_sure=True),
        Sentence("deploy", is_sure=True, given="ship", did_you_mean="deploy acme/frontend main"),
        Sentence("why-red", ("why-red acme/frontend main", "why-red acme/cli main"), is_sure=True),
        Sentence("why-red", ("why-red acme/frontend main", "status acme/frontend main", "rerun acme/frontend main")),
        Sentence("why-red"),
        Sentence("rerun", is_sure=True),
    ),
    "error-not-found": (
        NotFound("project", "gh/acme/nothing"),
        NotFound("branch", "relase/v2.0", looked_in="acme/frontend", built_lately=("release/v2.0", "main")),
        NotFound("job", "7", looked_in="gh/acme/frontend"),
        NotFound("environment variable", "DEPLOY_TOKEN", looked_in="gh/acme/frontend"),
        NotFound("checkout key", "c9:0b:1c", looked_in="gh/acme/frontend"),
        NotFound("pipeline definition", "acme/mobile"),
    ),
    "error-unbuilt": (
        Unbuilt(
            "relase/v2.0",
            looked_in="acme/frontend",
            alike=("release/v2.0",),
            again="deploy gh/acme/frontend relase/v2.0 env=prod",
            directly=False,
        ),
        Unbuilt("new", looked_in="acme/frontend", alike=(), again="use gh/acme/frontend new", directly=False),
    ),
    "error-not-allowed": tuple(NotAllowed("U0ADA", word, "guests may only read") for word in errors.DOING),
    "error-not-allowed-about": (NotAllowed("U0ADA", "deploy", "no rule allows it", about="acme/frontend main"),),
    "error-locked": (
        Locked("acme/frontend main", key="k", holder_id="U0GRACE", reason="hotfix", age=timedelta(hours=2, minutes=5)),
        Locked("acme/frontend", key="k", holder_id="U0GRACE", reason="", age=timedelta(days=3)),
        Locked("acme/frontend", key="k", holder_id="U0GRACE", reason="x", age=timedelta(days=3), word="unlock"),
    ),
    "error-unauthorized": (Unauthorized(),),
    "error-rate-limited": (RateLimited(timedelta(seconds=40)), RateLimited(timedelta(minutes=3))),
    "error-spent": (Spent(timedelta(seconds=4)),),
    "error-taken": (
        Taken("U0ADA", "Rerun failed"),
        Taken("", "rerun once"),
        Taken("U0ADA", "deploy acme/frontend main", number=2417),
        Taken("U0ADA", "deploy acme/frontend main", number=2417, is_own=True),
    ),
    "error-too-many": (TooMany(10, 3),),
    "error-asked-already": tuple(
        AskedAlready("U0ADA", "acme/frontend main", asked_at=datetime(2026, 11, 20, 10, 12, tzinfo=UTC), url=url)
        for url in ("https://acme.slack.com/archives/C0DEPLOYS/p1", "")
    ),
    "error-for-a-person": tuple(
        ForAPerson(demand, "acme/frontend main", "deploy gh/acme/frontend main", among=("release/v2.0", "`x` <!here>"))
        for demand in sorted(for_people.DEMANDS)
    ),
    "error-of-an-agent": of_an_agent(),
    "error-nothing-to-do": tuple(NothingToDo(why, **MEANT) for why in sorted(nothing.REASONS)),
    "error-nothing-to-cancel-yet": (NothingToCancelYet("p", 2417, "acme/frontend", "main", 0),),
    "error-unheard": tuple(
        unheard(line)
        for line in (
            WITH_ENV,
            "watch gh/acme/frontend main",
            f"{WITH_ENV} note={'x' * 300}",
            f"{WITH_ENV} token=ghp_0123456789abcdefghijABCDEFGHIJ012345",
        )
    ),
    "error-unheard-between-two": tuple(
        unheard(line, between_two=True) for line in (WITH_ENV, f"{WITH_ENV} note={'x' * 300}")
    ),
    "error-unheard-takes-two": (
        unheard(WITH_ENV, takes_two=True),
        unheard(WITH_ENV, takes_two=True, between_two=True),
    ),
    "error-unheard-hidden": (
        unheard(WITH_ENV, hidden=True),
        unheard(f"{WITH_ENV} token=ghp_0123456789abcdefghijABCDEFGHIJ012345", hidden=True),
        unheard(WITH_ENV, hidden=True, between_two=True),
    ),
    "error-slip": tuple(Slip("field", why, what="500") for why in sorted(forms.SLIPS)),
    "error-rejected": (Rejected(403, "Plan is suspended."), Rejected(403, "")),
    "error-not-triggered": (NotTriggered("The commit says [skip ci], so nothing was started."),),
    "error-partly-done": (
        PartlyDone(RateLimited(timedelta(seconds=5)), "build"),
        PartlyDone(Rejected(403, "Permission denied"), "build, lint"),
        PartlyDone(Unavailable("Service Unavailable"), "build"),
        PartlyDone(Locked("acme/frontend", key="", holder_id="U0ADA", reason="", age=timedelta(0)), "build"),
    ),
    "error-elsewhere": (
        Elsewhere("storage.acme.internal", "at an address inside a network"),
        Elsewhere("storage.example", "not behind https"),
    ),
    "error-name-untold": (
        NameUntold("acme/legacy", "acme/frontend", Rejected(403, "Permission denied"), rule="legacy is closed"),
        NameUntold("acme/backend", "acme/vault", Unavailable("Service Unavailable")),
    ),
    "error-too-large": (TooLarge(64),),
    "error-unavailable": (Unavailable("Service Unavailable"), Unavailable("no connection", arrived=False)),
    "error-slack": (SlackError("chat.postMessage", "not_in_channel"),),
    "error-slack-limited": (SlackLimited("chat.postMessage", timedelta(seconds=30)),),
    "error-slack-not-asked": tuple(
        NotAsked(SlackError("chat.postMessage", why), "acme/frontend main") for why in ("thread_not_found", "http_503")
    ),
    "error-slack-not-heard": tuple(
        NotHeard(SlackError("conversations.open", why)) for why in ("user_disabled", "http_503")
    ),
    "error-slack-unreachable": (Unreachable("conversations.open", "user_disabled"),),
    "error-store": (StoreError("Redis: ConnectionError"), MaybeTaken("Redis does not answer in time")),
    "error-unreadable": (Unreadable("attempt"),),
    "error-any-other": (BotError("of a kind that has no words of its own"),),
}
WATCH = Watch(
    id="Ev1",
    pipeline_id=PipelineId("p"),
    pipeline_number=2417,
    project_slug=ProjectSlug("gh/acme/frontend"),
    project_title="acme/frontend",
    ref=Ref(name="main"),
    thread=Place(channel_id="C0DEPLOYS"),
    asker_id="U0ADA",
    asker_name="ada",
    asked_at=datetime(2026, 11, 20, 10, 0, tzinfo=UTC),
)
TOLD = Unauthorized()
TOLD.is_told = True
OTHERS: dict[str, tuple[Message, ...]] = {
    "error-unexpected": (errors.unexpected("7f3a2b"),),
    "error-not-taken": (
        errors.error(StoreError("Redis: ConnectionError"), line="deploy acme/frontend main"),
        errors.error(MaybeTaken("Redis does not answer in time"), line="deploy acme/frontend main"),
        errors.error(TooMany(10, 3), command="@ci", line="flaky acme/backend main"),
    ),
    "operator-channel-gone": (errors.channel_gone("C0DEPLOYS", "is_archived"),),
    "operator-nobody-reached": (errors.unreachable(WATCH, "user_disabled"),),
    "operator-project-unseen": (errors.project_unseen("gh/acme/frontend"),),
    "operator-token-refused": (errors.token_refused(""), errors.token_refused("gh/other")),
    "trouble-news-late": (
        replies.outage(Unavailable("Service Unavailable")),
        replies.outage(RateLimited(timedelta(seconds=40))),
        replies.outage(Unauthorized()),
        replies.outage(TOLD),
        replies.outage(Rejected(404, "Pipeline not found")),
        replies.late(),
        replies.outage_over(),
        replies.broken(),
        replies.broken_over(),
    ),
    "trouble-let-go": (
        replies.let_go_of_quiet(WATCH, "on hold", timedelta(days=30)),
        replies.let_go_of_unknown(WATCH),
        replies.let_go_of_unread(WATCH, timedelta(days=30)),
        root.unfollowed(None, WATCH, Links()),
    ),
    "trouble-left-behind": (replies.left_behind(WATCH, "is_archived"),),
    "trouble-moved": tuple(replies.moved(WATCH, code) for code in ("not_in_channel", "is_archived")),
}


WORDS = Vocabulary(register(Router()), Projects(), [ProjectSlug("gh/acme/nothings")])
WORKING = "error-window-working"
RECORDED = {*ERRORS, *OTHERS, WORKING}


def test_every_error_reads_as_recorded(golden: bool) -> None:
    said = {name: "\n".join(told(repr(one), words(one)) for one in problems) for name, problems in ERRORS.items()}
    said |= {name: "\n".join(told("", one) for one in messages) for name, messages in OTHERS.items()}
    said[WORKING] = "\n".join(transcript.blocks(forms.working()["blocks"], {})) + "\n"
    compare(said, anew=golden)


def test_no_kind_of_error_is_left_out() -> None:
    raised = {type(problem) for problems in ERRORS.values() for problem in problems}
    never_itself = {known.UserError, known.CircleCIError}
    assert {*kinds(BotError)} - never_itself == raised - {BotError}


def kinds(kind: type[BotError]) -> Iterator[type[BotError]]:
    for one in kind.__subclasses__():
        if one.__module__ == known.__name__:
            yield one
        yield from kinds(one)


def words(problem: BotError) -> Message:
    typed = "deploy acme/frontend relase/v2.0"
    if isinstance(problem, UsageError) and problem.did_you_mean:
        typed = f"{problem.given} {problem.did_you_mean.partition(' ')[2]}"
    offers = offered(problem, typed, WORDS)
    usage = DEPLOY if isinstance(problem, UsageError) and problem.command else None
    return errors.error(problem, help=usage, offered=offers, reference="7f3a2b")


def told(what: str, message: Message) -> str:
    names = {"U0ADA": "ada", "U0GRACE": "grace", "C0DEPLOYS": "deploys"}
    heading = [f"» {what}", ""] if what else []
    return "\n".join([*heading, *transcript.seen(message.text, message.blocks, names), ""])
