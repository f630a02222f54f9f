"""The table of demands: which word carries which, for a rule of any effect, and what to write instead."""

import pytest

from bot.policy import BadPolicy, Policy, Word, parse

THREE, DEPLOY = '["deploy", "rerun", "approve"]', '["deploy"]'
CARRIED = {
    ("second_person", "deploy"): True,
    ("second_person", "rerun"): True,
    ("second_person", "approve"): True,
    ("typed", "deploy"): True,
    ("typed", "rerun"): True,
    ("typed", "approve"): True,
    ("green", "deploy"): True,
}
CELLS = [(demand, word) for demand in ("second_person", "typed", "green") for word in (*Word, "*")]


def file(effect: str, demand: str, *words: str, more: str = "") -> str:
    named = ", ".join(f'"{word}"' for word in words)
    return f'[[rules]]\nname = "x"\neffect = "{effect}"\nwords = [{named}]\n{demand} = true\n{more}'


def refused(text: str) -> str:
    with pytest.raises(BadPolicy) as bad:
        parse(text)
    return str(bad.value)


@pytest.mark.parametrize("effect", ["allow", "demand"])
@pytest.mark.parametrize(("demand", "word"), CELLS)
def test_each_word_carries_a_demand_or_is_refused_with_what_to_write(effect: str, demand: str, word: str) -> None:
    text = file(effect, demand, word)
    if CARRIED.get((demand, word)):
        assert getattr(parse(text).rules[0], demand)
        return
    told = refused(text)
    assert told.startswith(f"line 4: rules.1.words: {demand} cannot be demanded of ")
    assert f"write words = {DEPLOY if demand == 'green' else THREE}" in told


@pytest.mark.parametrize("effect", ["allow", "demand"])
@pytest.mark.parametrize(("demand", "word"), [cell for cell in CELLS if cell[1] != "*" and not CARRIED.get(cell)])
def test_of_several_words_those_that_cannot_are_split_off(effect: str, demand: str, word: str) -> None:
    told = refused(file(effect, demand, "deploy", word))
    if effect == "demand":  # what is left would demand nothing
        assert told.endswith(f"write words = {DEPLOY}.")
    else:
        assert f'split the rule, one with words = {DEPLOY}, one with words = ["{word}"] without {demand}.' in told


def test_a_split_keeps_what_the_other_half_can_carry() -> None:
    told = refused(file("demand", "green", "deploy", "rerun", more="typed = true\n"))
    assert "(what one reruns is red)" in told
    assert 'one with words = ["rerun"] without green' in told
    halves = file("demand", "green", "deploy", more="typed = true\n") + file("demand", "typed", "rerun")
    assert [rule.demands for rule in parse(halves).rules[:2]] == [("typed", "green"), ("typed",)]


def test_the_rest_of_all_words_needs_a_rule_of_its_own() -> None:
    assert "Other words need a rule of their own" in refused(file("allow", "typed", "*"))
    assert "Other words" not in refused(file("demand", "typed", "*"))
    assert "Other words" not in refused(file("allow", "typed", "cancel"))


def test_the_table_holds_for_what_is_no_file_too() -> None:
    with pytest.raises(ValueError, match="cannot be demanded of"):
        Policy.model_validate({"rules": [{"name": "x", "words": ["*"], "second_person": True}]})
