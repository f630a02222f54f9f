"""What the oracle of subscriptions takes for right, and what it does not."""

import pytest

from tests.oracle.news import End, Rule, Said, is_explained

FAR, USUAL, ALL = 100.0, Rule("web", "acme/web"), Rule("web", "acme/web", ("main", "failed", "passed"))
RED, GREEN, LATER = End(1, 0, 5, "red"), End(2, 10, 15, "green"), End(3, 20, 25, "red")
BROKE, FIXED, BROKE_AGAIN = Said("broke", 1), Said("fixed", 2, in_thread=True), Said("broke", 3)
SLOW = End(1, 0, FAR, "red")  # it may be seen before the others, or behind them


@pytest.mark.parametrize(
    ("ends", "said", "is_right"),
    [
        ([RED, GREEN, LATER], [BROKE, FIXED, BROKE_AGAIN], True),
        ([RED, GREEN, LATER], [BROKE, FIXED], False),
        ([RED, GREEN], [BROKE, FIXED, FIXED], False),
        ([RED, GREEN], [BROKE, BROKE, FIXED], False),
        ([RED, GREEN], [FIXED, BROKE], False),
        ([RED, GREEN], [], False),
        ([RED, GREEN], [BROKE, FIXED._replace(in_thread=False)], False),
        ([RED, End(2, 10, 15, "red")], [BROKE], True),
        ([RED, End(2, 10, 15, "red")], [BROKE, Said("broke", 2)], False),
        ([RED, End(2, 10, 15, "")], [BROKE], True),
        ([SLOW, GREEN], [BROKE, FIXED], True),
        ([SLOW, GREEN], [], True),
        ([SLOW, GREEN], [BROKE], False),
        ([RED._replace(may_be_missed=True), GREEN], [], True),
        ([RED, End(1, 10, 15, "green")], [BROKE, Said("fixed", 1, in_thread=True)], True),
        ([GREEN], [], True),
        ([RED, End(2, 10, 15, "held")], [BROKE, FIXED], True),
        ([RED, End(2, 10, 15, "held")], [BROKE], True),
        ([End(2, 10, 15, "held")], [Said("fixed", 2)], False),
        ([RED, End(2, 10, 15, "held"), GREEN._replace(number=3)], [BROKE, FIXED], True),
    ],
)
def test_only_what_the_ends_explain_is_right(ends: list[End], said: list[Said], is_right: bool) -> None:
    assert is_explained(ends, said, [USUAL]) == is_right


def test_rules_of_a_channel_are_told_together_and_in_a_thread_where_one_is() -> None:
    apart = ALL._replace(words=("main", "failed", "passed", "channel"))
    said = [BROKE, FIXED, Said("passed", 3)]
    ends = [RED, GREEN, End(3, 20, 25, "green")]
    assert is_explained(ends, said, [ALL])
    assert is_explained(ends, said, [apart, USUAL])
    assert not is_explained(ends, said, [apart])
    assert is_explained(ends, [one._replace(in_thread=False) for one in said], [apart])


@pytest.mark.parametrize(
    ("ends", "said", "is_right"),
    [
        ([LATER], [Said("broke", 1)], True),
        ([LATER], [Said("broke", 3)], False),
        ([LATER], [], False),
        ([End(2, 10, 15, "green")], [Said("fixed", 2)], True),
        ([End(2, 10, 15, "green")], [], False),
        ([LATER, End(4, 30, 35, "red")], [Said("broke", 1)], True),
        ([LATER, End(4, 30, 35, "green")], [Said("broke", 1), Said("fixed", 4, in_thread=True)], True),
        ([GREEN, LATER], [Said("fixed", 2), BROKE_AGAIN], True),
        ([End(2, 10, 15, "")], [], True),
    ],
)
def test_a_branch_that_was_red_when_a_channel_asked_is_so_until_it_passes(
    ends: list[End], said: list[Said], is_right: bool
) -> None:
    late = USUAL._replace(asked_at=6)
    assert is_explained([RED, *ends], said, [late]) == is_right
    deploys = USUAL._replace(words=("main", "deployed"))
    assert is_explained([RED, *ends], said, [late, deploys]) == is_right


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ([SLOW, GREEN], [Said("passed", 2), Said("older red", 1)]),
        ([SLOW, LATER], [Said("broke", 3), Said("older red", 1)]),
        ([RED, End(2, 0, FAR, "green"), LATER], [BROKE, Said("still-red", 3, True), Said("older green", 2, True)]),
    ],
)
def test_an_older_build_is_said_to_be_one(ends: list[End], said: list[Said]) -> None:
    assert is_explained(ends, said, [ALL])
    assert not is_explained(ends, said[:1], [ALL])


@pytest.mark.parametrize(
    ("words", "about", "not_about"),
    [
        ((), "main", "release/1"),
        (("release/*", "!release/old"), "release/1", "release/old"),
        (("!feature/*", "failed"), "main", "feature/1"),
        (("*", "channel"), "feature/1", None),
    ],
)
def test_a_rule_is_about_branches_by_their_globs(words: tuple[str, ...], about: str, not_about: str | None) -> None:
    rule = Rule("web", "acme/web", words)
    assert rule.is_about(about)
    assert not (not_about and rule.is_about(not_about))
