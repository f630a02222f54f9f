"""What a channel hears, in words: whole in a list, however long a rule is, and without a ping."""

from datetime import UTC, datetime

import pytest

from bot.answers.subscriptions import Lately, Posted, Subscribed, Subscriptions, WhichSubscription
from bot.models.audit import Entry
from bot.models.subscription import Event, Mode, Subscription
from commands.rules import LONGEST_RULE, MOST_BRANCHES
from formatters.limits import violations
from formatters.subscriptions import changed, left_behind, listed, pages, rule, which


def one(**changes: object) -> Subscription:
    kept = {"id": "s1", "channel_id": "C0WEB", "made_by": "U0ADA", "made_by_name": "ada", "made_at": 0}
    named = {"project_slug": "gh/acme/frontend", "project_title": "acme/frontend", "default_branch": "main"}
    return Subscription.model_validate(kept | named | changes)


DAY = datetime(2026, 11, 24, 12, tzinfo=UTC)
ON_DAY = "<!date^1795521600^{date_short_pretty}|2026-11-24>"
THREAD, APART = (
    "in one thread for each time that it is red",
    "each time by a message of its own where nothing else here asks for a thread",
)
ELSE, BELOW = (
    f"{THREAD}, or else by a message of its own",
    "each time by a message of its own, or in the thread about it where it is red here",
)
SIX = ", ".join(f"`b{number}`" for number in range(6))
PINGED = "is mentioned when it breaks"
FLAKY = "has a test that is found to be flaky"
WAITS, SOMETHING = "has a build that waits for an approval", "something waits for an approval"
A_TAG = "tag `v*` of acme/frontend (but not `v0*`) has a build that fails or passes"
V, ENDS = "tag `v*` of acme/frontend", "has a build that fails or passes"
REST = f"or any of these is deployed, {FLAKY} or has a build that waits for an approval or takes long"
DEPLOY, TWO = "only its workflow `deploy`", "only its workflows `deploy` or `e2e*`"
ADA = f"&lt;@U0ADA&gt; {PINGED}"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, f"when the default branch of acme/frontend (`main` now) breaks or is fixed, {THREAD}"),
        ({"branches": ("main",)}, f"when `main` of acme/frontend breaks or is fixed, {THREAD}"),
        (
            {"branches": ("!renovate/*",), "events": (Event.PASSED, Event.STILL_RED, Event.BROKE)},
            "when any branch of acme/frontend (but not `renovate/*`) breaks, stays red or has a build that passes, "
            + ELSE,
        ),
        (
            {"branches": ("*", "main"), "events": (Event.FAILED,), "mode": Mode.CHANNEL, "mention": "S0ONCALL"},
            f"when any branch of acme/frontend has a build that fails, {APART}, and `S0ONCALL` {PINGED}",
        ),
        (
            {"branches": tuple(f"b{number}" for number in range(8)), "mention": "U0ADA", "mention_name": "<@U0ADA>"},
            f"when {SIX} or 2 more of acme/frontend breaks or is fixed, {THREAD}, and {ADA}",
        ),
        (
            {"branches": ("main",), "events": (Event.BROKE, Event.WAITING), "mention": "S0ONCALL"},
            f"when `main` of acme/frontend breaks or {WAITS}, {ELSE}, and `S0ONCALL` {PINGED} or {SOMETHING}",
        ),
        (
            {"branches": ("main",), "events": (Event.FIXED,), "mention": "S0ONCALL"},
            f"when `main` of acme/frontend is fixed, {BELOW}",
        ),
        (
            {"branches": ("main", "tag:v*", "!tag:v0*")},
            f"when `main` of acme/frontend breaks or is fixed, or {A_TAG}, {ELSE}",
        ),
        (
            {"branches": ("main", "tag:v*"), "events": tuple(Event)},
            f"when `main` of acme/frontend breaks, is fixed, stays red or {ENDS}, or {V} {ENDS}, {REST}, {ELSE}",
        ),
        (
            {"branches": ("main", "tag:v*"), "events": (Event.DEPLOYED, Event.STILL_RED)},
            f"when `main` of acme/frontend stays red, or `main` of acme/frontend or {V} is deployed, {ELSE}",
        ),
        *(
            ({"branches": ("main",), "events": (event,)}, f"when `main` of acme/frontend {happens}, {BELOW}")
            for event, happens in {
                Event.PASSED: "has a build that passes",
                Event.WAITING: WAITS,
                Event.DEPLOYED: "is deployed",
                Event.FLAKY: FLAKY,
                Event.SLOW: "has a build that takes long",
            }.items()
        ),
        (
            {"branches": ("main",), "events": (Event.DEPLOYED, Event.WAITING), "mode": Mode.CHANNEL},
            f"when `main` of acme/frontend is deployed or {WAITS}, {APART}",
        ),
        (
            {"branches": ("tag:v*",), "events": (Event.DEPLOYED, Event.SLOW)},
            f"when {V} is deployed or has a build that takes long, each build by a message of its own",
        ),
        (
            {"branches": ("tag:v*",), "events": (Event.BROKE, Event.STILL_RED)},
            f"when {V} has a build that fails, each build by a message of its own",
        ),
        (
            {"by": "octo-ada", "workflows": ("deploy",), "branches": ("main",)},
            f"when `main` of acme/frontend breaks or is fixed in builds by `octo-ada` ({DEPLOY} counts), {THREAD}",
        ),
        (
            {"workflows": ("deploy", "e2e*", "!lint"), "branches": ("main",)},
            f"when `main` of acme/frontend breaks or is fixed ({TWO} count, and not its `lint`), {THREAD}",
        ),
        (
            {"workflows": ("!lint",), "branches": ("main",)},
            f"when `main` of acme/frontend breaks or is fixed (not its `lint`), {THREAD}",
        ),
        (
            {"pattern": "acme/*", "left_out": ("acme/old",)},
            f"when the default branch of any project `acme/*` (but not `acme/old`) breaks or is fixed, {THREAD}",
        ),
    ],
)
def test_a_rule_is_one_sentence(changes: dict[str, object], said: str) -> None:
    assert rule(one(**changes)) == said


@pytest.mark.parametrize("letter", ["a", "<", "&", "\U0001f680"])
def test_a_list_shows_all_of_a_page_however_long_each_rule_is(letter: str) -> None:
    names = tuple(f"{number:02}{letter * (LONGEST_RULE // MOST_BRANCHES - 2)}" for number in range(MOST_BRANCHES))
    long = one(
        branches=(*names[:10], *(f"!{name}" for name in names[10:])),
        events=tuple(Event),
        project_title="x/" + letter * 300,
        made_by_name=letter * 100,
        paused=f"it is {letter * 300}",
        mention="S0ONCALL",
        mention_name=letter * 100,
    )
    made = pages((long,) * 10)
    for page in made:
        shown = listed(Subscriptions(subscriptions=page, total=10, pages=len(made)))
        assert violations(shown) == []
        sections = [block["text"]["text"] for block in shown.blocks if block["type"] == "section"]
        assert sum(text.count("• I say when") for text in sections) == len(page)
    asked = which(WhichSubscription(project_title=long.project_title, subscriptions=(long,) * 10))
    assert violations(asked) == []
    assert f"and {10 - len(made[0])} more" in asked.blocks[-1]["elements"][0]["text"]


def long_ones(letter: str, **changes: object) -> list[Subscription]:
    """Return rules of the longest kind, each with other events and otherwise the same."""
    room = LONGEST_RULE // (2 * MOST_BRANCHES)
    names = tuple(f"{number:02}{letter * (room - 2)}" for number in range(MOST_BRANCHES))
    flows = tuple(f"{letter * 40}{number}" for number in range(5))
    of_all = {"branches": names, "workflows": flows, "by": letter * 39, "mention": "S0ONCALL", **changes}
    kinds = [(Event.FAILED,), (Event.PASSED,), (Event.BROKE, Event.FIXED), tuple(Event), (Event.SLOW,)]
    return [one(**of_all, id=f"s{number}", events=events) for number, events in enumerate(kinds)]


@pytest.mark.parametrize("act", ["began", "changed", "already", "ended"])
@pytest.mark.parametrize("letter", ["a", "&", "\U0001f680"])
@pytest.mark.parametrize("pattern", ["", "acme/*"])
def test_what_begins_or_ends_is_said_whole_however_long_it_is(act: str, letter: str, pattern: str) -> None:
    """Of it what is heard already, and the line that ends it, which has room of its own."""
    left_out = tuple(f"acme/{letter * 60}{number}" for number in range(10)) if pattern else ()
    made, *heard = long_ones(letter, pattern=pattern, left_out=left_out)
    before = made.model_copy(update={"mode": Mode.CHANNEL, "mention": "", "paused": f"it is {letter * 300}"})
    red = tuple(f"{number}{letter * 80}" for number in range(9))
    found = {"heard": heard, "before": before, "unbuilt": red, "fitting": red, "lately": Lately(red=red)}
    entry = Entry(at=DAY, user_id="U0ADA", channel_id="C0WEB", word="read", what="subscribe", outcome="done")
    message = changed(Subscribed.model_validate({"act": act, "subscription": made, "entry": entry, **found}))
    said = " ".join(str(block["text"]["text"]) for block in message.blocks if block["type"] == "section")
    assert violations(message) == []
    assert "Of that I say here already when" in said
    assert f"subscribe {made.line}" in said or letter == "&" or pattern
    assert "CircleCI has built nothing of" in str(message.blocks[-1])
    assert violations(left_behind(made)) == []


@pytest.mark.parametrize("letter", ["a", "\U0001f680"])
def test_the_dialog_that_ends_one_tells_it_from_its_neighbours(letter: str) -> None:
    """As far as its branches, the last of which is there: all of one that has room."""
    found = long_ones(letter)
    found += [each.model_copy(update={"branches": (*each.branches[:-1], f"{letter * 9}/last")}) for each in found]
    found += [each.model_copy(update={"by": "octo-ada"}) for each in found]
    blocks = [block for page in pages(found) for block in listed(Subscriptions(subscriptions=page, total=20)).blocks]
    dialogs = [str(block["accessory"]["confirm"]["text"]["text"]) for block in blocks if "accessory" in block]
    assert len(set(dialogs)) == len(found) == 20
    short = listed(Subscriptions(subscriptions=(one(by="octo-ada"),), total=1)).blocks[1]
    assert "unsubscribe gh/acme/frontend broke fixed by=octo-ada" in str(short["accessory"]["confirm"])


def test_ten_usual_ones_are_a_page() -> None:
    assert [len(page) for page in pages([one()] * 21)] == [10, 10, 1]
    assert pages([]) == []


def lately(*happened: tuple[Event, int], **changes: object) -> str:
    posted = tuple(Posted(event=event, number=number, ref="main", at=DAY) for event, number in happened)
    return answered(lately=Lately.model_validate({"posted": posted, **changes}))


def answered(**done: object) -> str:
    who = {"user_id": "U0ADA", "user_name": "ada", "channel_id": "C0WEB"}
    entry = Entry.model_validate({**who, "at": DAY, "what": "subscribe", "word": "read", "outcome": "done"})
    made = Subscribed.model_validate({"act": "began", "subscription": one(), "entry": entry, **done})
    section = changed(made).blocks[0]
    return str(section["text"]["text"]).partition("subscribed. ")[2].partition(" `/ci")[0]


def test_projects_that_are_not_found_yet_are_said_to_come() -> None:
    by_then = "some hours from now I know what all are called"
    assert by_then not in answered(fitting=("acme/web",))
    assert answered(fitting=("acme/web",), is_all=False).endswith(f": {by_then}, and which fit.")


def test_what_it_would_have_been_is_said_as_far_as_it_is_known() -> None:
    assert lately((Event.BROKE, 1)) == f"Last week that would have been once: broke #1 {ON_DAY}."
    two = lately((Event.STILL_RED, 1), (Event.FIXED, 2), since=DAY, is_least=True)
    assert two == f"Since {ON_DAY} that would have been at least 2 times: still red #1 {ON_DAY}, fixed #2 {ON_DAY}."
    many = lately(*((Event.PASSED, number) for number in range(1, 8)))
    assert many.startswith("Last week that would have been 7 times, the last 4 of them: passed #4")
    assert lately((Event.BROKE, 1), red=("main",)).startswith("`main` is red now. Last week")
    assert lately(red=("main", "fix")).startswith("`main` and `fix` are red now. Last week I would")
    assert lately() == "Last week I would have said nothing."
    assert lately(is_least=True).startswith("`/ci unsubscribe")  # what ran again may have been told


def test_who_left_a_subscription_behind_is_named_and_how_it_goes_on() -> None:
    message = left_behind(one(branches=("main",)))
    assert message.blocks[0]["text"]["text"].endswith(
        "ada subscribed, and may not look at it here any more. Whoever may lets it go on in their own name: "
        "`/ci subscribe gh/acme/frontend main broke fixed`."
    )
    assert "<@" not in str(message)
    assert violations(message) == []


def test_what_is_red_by_some_of_its_builds_alone_is_not_said_of_the_branch() -> None:
    entry = Entry(at=DAY, user_id="U0ADA", channel_id="C0WEB", word="read", what="subscribe", outcome="done")
    for of_some, words in ((one(), "`main` is red now"), (one(by="octo-ada"), "`main` (`by=octo-ada`) is red now")):
        done = Subscribed(act="began", subscription=of_some, lately=Lately(red=("main",)), entry=entry)
        assert words in changed(done).text + str(changed(done).blocks)
