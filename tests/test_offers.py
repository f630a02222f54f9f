"""What is offered instead of what was typed: never another act than the one that is surely meant."""

from datetime import timedelta

import pytest

from bot.actions import RunCommand
from bot.errors import BotError, NotFound, PartlyDone, RateLimited, Sentence, Unavailable, UsageError
from bot.grammar import split
from bot.models.caller import Caller
from bot.models.circleci import ProjectSlug
from bot.models.likeness import are_alike, is_slip
from bot.routing import Router
from bot.settings import ProjectEntry, Projects
from bot.slack.offers import Vocabulary, as_answered, offered
from commands import register
from formatters.offers import Offer, row

ROUTER = register(Router())
KNOWN = [ProjectSlug("gh/acme/frontend"), ProjectSlug("bb/acme/backend")]
PROJECTS = Projects(projects={"web": ProjectEntry(slug="gh/acme/frontend")})
WORDS = Vocabulary(ROUTER, PROJECTS, KNOWN)
LATELY = ("release/v2.0", "main", "try/slow")


@pytest.mark.parametrize(
    ("problem", "typed", "offers"),
    [
        (RateLimited(timedelta(seconds=40)), "deploy acme/frontend main", True),
        (RateLimited(timedelta(seconds=40)), "status acme/frontend", True),
        (Unavailable("no connection", arrived=False), "rerun acme/frontend #2417 all", True),
        (RateLimited(timedelta(seconds=40)), "deploy acme/frontend", False),  # the dialog could not name its branch
        (Unavailable("Service Unavailable"), "deploy acme/frontend main", False),  # it may be done
        (PartlyDone(RateLimited(timedelta(seconds=5)), "build"), "rerun acme/frontend #2417", False),
    ],
)
def test_what_surely_did_nothing_can_be_tried_again(problem: BotError, typed: str, offers: bool) -> None:
    found = [(one.label, one.line) for one in offered(problem, typed, WORDS)]
    assert found == ([("Try again", typed)] if offers else [])


def test_what_was_answered_before_holds_where_it_is_tried_again() -> None:
    again = offered(RateLimited(timedelta(seconds=40)), "deploy acme/frontend main", WORDS)
    other = offered(NotFound("branch", "mian", built_lately=("main",)), "deploy acme/frontend mian", WORDS)
    asks = Caller(person_id="U0ADA", delivery_id="d", directly=True, unbuilt=True)
    carried = []
    for one in as_answered([*again, *other], asks):
        made = one.button
        assert made is not None
        carried.append(RunCommand.unpack(str(made["value"])))
    assert [(one.text, one.directly, one.unbuilt) for one in carried] == [("deploy acme/frontend main", True, True)] + [
        ("deploy acme/frontend main", True, False)
    ] * (len(carried) - 1)
    assert len(carried) > 1


def meant(typed: str) -> tuple[Offer, ...]:
    """Return what is offered for a word that nobody knows."""
    with pytest.raises(UsageError) as found:
        ROUTER.find(split(typed))
    return offered(found.value, typed, WORDS)


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("deploye acme/frontend main", "deploy acme/frontend main"),
        ("DEPLYO acme/frontend release/v2.0 env=prod", "deploy acme/frontend release/v2.0 env=prod"),
        ('deplyo acme/frontend "a b" note="1 2"', 'deploy acme/frontend "a b" note="1 2"'),
        ("rerunn acme/frontend #2417 all", "rerun acme/frontend #2417 all"),
        ("unlok acme/frontend:main", "unlock acme/frontend:main"),
        ("rerrun acme/frontend main", "rerun acme/frontend main"),
        ("ship acme/frontend tag:v2.0", "deploy acme/frontend tag:v2.0"),
        ("retry acme/frontend main", "rerun acme/frontend main"),
    ],
)
def test_an_act_is_offered_for_a_slip_or_another_word_behind_a_dialog_that_names_it_all(typed: str, line: str) -> None:
    (offer,) = meant(typed)
    assert offer.line == line
    block = row([offer])
    assert block is not None
    said = block["elements"][0]["confirm"]["text"]["text"]
    assert all(name in said for name in ("acme/frontend", line))


@pytest.mark.parametrize(
    ("typed", "line", "label"),
    [
        ("cancle acme/frontend 1842", "cancel acme/frontend 1842", "Show what runs: job 1842"),
        ("kill acme/frontend try/slow", "cancel acme/frontend try/slow", "Show what runs: try/slow"),
        ("aprove web hold/prod", "approve web hold/prod", "Show what waits: hold/prod"),
        ("aprove acme/frontend #2418", "approve acme/frontend #2418", "Show what waits: #2418"),
    ],
)
def test_what_only_lists_is_called_so_and_no_dialog_says_that_it_acts(typed: str, line: str, label: str) -> None:
    (offer,) = meant(typed)
    block = row([offer])
    assert offer.line == line
    assert block is not None
    assert block["elements"][0]["text"]["text"] == label
    assert "confirm" not in block["elements"][0]


@pytest.mark.parametrize(
    "typed",
    [
        "running acme/frontend main",
        # Who asks, quotes or exclaims says something else.
        "deploy? acme/frontend main",
        "deploy?? acme/frontend main",
        "deploy！ acme/frontend main",
        "!deploy acme/frontend main",
        ">deploy acme/frontend main",
        "~deploy acme/frontend main",
        "-deploy acme/frontend main",
        "_deploy acme/frontend main",
        "deploy: acme/frontend main",
        "deploy2 acme/frontend main",
        "rerun? acme/frontend main",
        "ship acme/frontend main env=prod?",
        "ship acme/frontend main env=prod？",
        "ship acme/frontend main env=prod?!",
        "deplyo acme/frontend main note=why?not",
        "freeze acme/frontend:main shall we?",
        "freeze acme/frontend:main shall we? thanks",
        "unfreeze acme/frontend main ?",
        "retry acme/frontend main all؟",
        "reran acme/frontend main",
        "prerun acme/frontend main",
        "disrun acme/frontend main",
        "delock acme/frontend:main",
        "autolock acme/frontend:main",
        "deployed acme/frontend main?",
        "undeploy acme/frontend main",
        "delay acme/frontend main",
        "replay acme/frontend main",
        "employ acme/frontend main",
        "return acme/frontend main",
        "approved acme/frontend main",
        "disapprove acme/frontend main",
        "cancelled acme/frontend main",
        "locked acme/frontend:main",
        "look acme/frontend:main",
        "clock acme/frontend:main",
        "relock acme/frontend:main",
        "bitte deploy acme/frontend main",
        "can you deploy acme/frontend main?",
        "take over acme/frontend:main",
        "who broke main",
        "my builds",
        "is main green?",
        "version",
        "settings",
        "undo",
        "revert acme/frontend main",
        "rollback acme/frontend main",
        # The whole line must name what it would be done to, and be one.
        "deploye acme/frontend",
        "deploye",
        "rerunn",
        "deploye acme/frontend main and then some",
        "deploye nothing main",
        "evn set acme/frontend TOKEN",
        "deploye acme/frontend main note=" + "x" * 300,
        "deplyo acme/frontend ghp_" + "a1B2" * 9,
    ],
)
def test_nothing_else_is_ever_offered_as_an_act(typed: str) -> None:
    assert meant(typed) == ()


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("history", "recent"),
        ("hi", "hello"),
        ("?", "help"),
        ("--help", "help"),
        ("list", "projects"),
        ("Status?", "status"),
        ("show acme/frontend main", "status"),
        ("blame acme/frontend main", "why-red"),
        ("what can you do", "help"),
    ],
)
def test_another_word_for_a_look_is_a_word(typed: str, name: str) -> None:
    command, rest = ROUTER.find(split(typed))
    assert command.name == name
    assert command.only_looks
    command.parse(rest, PROJECTS)


def test_a_slip_in_a_look_is_offered_without_a_dialog() -> None:
    assert meant("sttaus acme/frontend main") == (Offer("status acme/frontend main", "Status main"),)


@pytest.mark.parametrize(
    ("value", "read", "note"),
    [
        ('"pr\u200bod"', 'env="pr[U+200B]od"', 'holds what nobody sees: env="pr[U+200B]od"'),
        ("pr\u043ed", "env=pr[U+043E]d", "mixes Latin and Cyrillic letters: env=pr[U+043E]d"),
        ('"a  b"', 'env="a[U+0020][U+0020]b"', ""),
        ('" a b "', 'env=" a b "', ""),
        ('"a\nb"', 'env="a[U+000A]b"', "holds what nobody sees"),
        ('"a\u2003b"', 'env="a[U+2003]b"', "holds what nobody sees"),
        ("größe", "env=größe", ""),
    ],
    ids=ascii,
)
def test_a_value_is_read_in_the_dialog_as_it_is(value: str, read: str, note: str) -> None:
    (offer,) = meant(f"deplyo acme/frontend main env={value}")
    assert offer.button is not None
    said = offer.button["confirm"]["text"]["text"]
    assert f"deploy acme/frontend main {read}" in said
    assert note in said
    assert ("Careful" in said) is bool(note)


def test_what_a_dialog_cannot_show_as_it_is_is_not_offered() -> None:
    assert meant(f'deplyo acme/frontend main env="a{" " * 65}b"') == ()


@pytest.mark.parametrize(
    "typed",
    [
        '`deplyo acme/frontend main` note="a b"',
        "deplyo acme/frontend main p=„'x ”x ’x »x “x\" b=c“",
    ],
)
def test_what_is_offered_is_read_as_it_was_typed(typed: str) -> None:
    (offer,) = meant(typed)
    assert split(offer.line)[1:] == split(typed)[1:]


def test_a_line_that_would_be_read_otherwise_is_not_offered() -> None:
    # Within the code marks the quotes are not closed, and behind them they would be.
    assert meant('`deplyo acme/frontend main note="a` b=c"') == ()


def test_no_word_means_two_commands() -> None:
    words = [word for one in ROUTER.commands.values() for word in (one.name, *one.help.also)]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("typed", "name", "lines"),
    [
        ("deploy web relase/v2.0 env=relase/v2.0", "relase/v2.0", ["deploy web release/v2.0 env=relase/v2.0"]),
        ("status acme/frontend mian", "mian", ["status acme/frontend main"]),
        ('rerun acme/frontend "mian" all', "mian", ["rerun acme/frontend main all"]),
        ("deploy acme/frontend Main", "Main", ["deploy acme/frontend main"]),
        ("deploy acme/frontend v2.0", "v2.0", ["deploy acme/frontend tag:v2.0"]),
        # A number is another number, and what is nothing like it is not meant.
        ("deploy acme/frontend release/v2.1", "release/v2.1", []),
        ("deploy acme/frontend 38c6d84", "38c6d84", []),
        ("deploy acme/frontend @ada", "@ada", []),
        ("deploy acme/frontend prod", "prod", []),
        ("status acme/frontend", "mian", []),
        ("", "mian", []),
    ],
)
def test_a_branch_is_offered_where_it_is_spelled_alike(typed: str, name: str, lines: list[str]) -> None:
    problem = NotFound("branch", name, looked_in="acme/frontend", built_lately=LATELY)
    offers = offered(problem, typed, WORDS)
    assert [one.line for one in offers] == lines
    assert all(bool(one.names) == (not one.line.startswith("status ")) for one in offers)


def test_for_a_tag_no_branch_is_offered_but_the_one_of_that_name() -> None:
    def lines(tag: str) -> list[str]:
        problem = NotFound("tag", tag, built_lately=LATELY)
        return [one.line for one in offered(problem, f"deploy acme/frontend tag:{tag}", WORDS)]

    assert lines("v9") == []
    assert lines("main") == ["deploy acme/frontend main"]


@pytest.mark.parametrize(
    ("typed", "name", "lines"),
    [
        ("status acme/fronted main", "gh/acme/fronted", ["status acme/frontend main"]),
        ("deploy Acme/Frontend main", "gh/Acme/Frontend", ["deploy acme/frontend main"]),
        ("deploy bb/acme/bakend main env=1", "bb/acme/bakend", ["deploy bb/acme/backend main env=1"]),
        ("deploy acme/fronted", "gh/acme/fronted", []),
        ("deploy acme/vault main", "gh/acme/vault", []),
    ],
)
def test_a_project_is_offered_where_it_is_followed_and_spelled_alike(typed: str, name: str, lines: list[str]) -> None:
    offers = offered(NotFound("project", name), typed, WORDS)
    assert [one.line for one in offers] == lines
    assert all(one.label.split()[1].startswith("acme/") for one in offers)


def test_whatever_is_offered_can_be_carried_by_a_button() -> None:
    (offer,) = meant("deploye acme/frontend main")
    block = row([offer] * 9)
    assert block is not None
    assert len(block["elements"]) == 3
    assert block["elements"][0]["value"] == RunCommand(text=offer.line).pack()


@pytest.mark.parametrize("length", [61, 4000])
def test_what_is_very_long_is_like_nothing_else(length: int) -> None:
    assert not are_alike("a" * length, "a" * length + "b")
    assert not is_slip("deploy" * length, "deploy")


def test_a_question_mark_behind_an_act_is_no_command() -> None:
    with pytest.raises(UsageError):
        ROUTER.find(split("deploy? acme/frontend main"))


@pytest.mark.parametrize(
    ("line", "label", "names"),
    [
        ("unsubscribe acme/frontend main", "Unsubscribe main", "Project acme/frontend, branch main"),
        ("unsubscribe acme/gone", "Unsubscribe acme/gone", "Project acme/gone, as the line says"),
        ("unsubscribe acme/* main", "Unsubscribe acme/* main", "Project acme/*, as the line says"),
        ("subscribe acme/* main", "Subscribe acme/* main", "Project acme/*, as the line says"),
        ("subscribe web tag:v*", "Subscribe web tag:v*", "Project acme/frontend, as the line says"),
    ],
)
def test_what_a_sentence_says_of_a_subscription_is_a_button_that_names_all_of_it(
    line: str, label: str, names: str
) -> None:
    (offer,) = offered(Sentence(line.partition(" ")[0], (line,), is_sure=True), line, WORDS)
    assert (offer.line, offer.label, offer.names) == (line, label, names)
    assert offer.button is not None
    assert line in str(offer.button["confirm"])
