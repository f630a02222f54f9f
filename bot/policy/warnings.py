"""What of a policy can be read and is hardly meant, in words to who wrote it. Pure."""

from collections import Counter
from collections.abc import Collection, Iterator

from bot.models.slugs import spelled_alike
from bot.policy.globs import is_plain
from bot.policy.rules import EVERYONE, KEEPERS, Policy, Rule
from bot.policy.words import ALL_WORDS, Word


def warnings(policy: Policy, aliases: Collection[str] | None = None) -> tuple[str, ...]:
    """Return a sentence for each; what a word in `projects` means is known where the projects' `aliases` are."""
    own = [rule for rule in policy.rules if rule != KEEPERS]
    return (
        *_allowing_too_little(own),
        *_named_twice(own),
        *_asking_nothing(own),
        *_not_alone(own),
        *_of_no_project(own, aliases),
    )


def _allowing_too_little(rules: list[Rule]) -> Iterator[str]:
    allowing = [rule for rule in rules if rule.effect == "allow"]
    if not allowing:
        yield "No rule allows anything: nobody may do anything through me, but for what is kept for ADMINS (admin)."
        return
    if not any(_is_about(rule, Word.READ) for rule in allowing):
        yield "No rule lets anybody read: help, status and all else that looks is refused."
    for rule in rules:
        if rule.effect == "deny" and _denies_all(rule) and _is_about(rule, Word.READ):
            yield f"“{rule.name}” keeps everybody from reading, everywhere: help, status and all else is refused."
        for word in rule.words if rule.effect == "demand" else ():
            if not any(_is_about(one, word) for one in allowing):
                yield f"“{rule.name}” demands something of {word}, which no rule allows."


def _is_about(rule: Rule, word: str) -> bool:
    return word in rule.words or ALL_WORDS in rule.words


def _denies_all(rule: Rule) -> bool:
    return EVERYONE in rule.roles and not (rule.channels or rule.projects or rule.names_refs)


def _named_twice(rules: list[Rule]) -> Iterator[str]:
    for name, times in Counter(rule.name for rule in rules).items():
        if times > 1:
            yield f"{times} rules have the name “{name}”: /ci may and /ci audit tell rules apart by it."


def _asking_nothing(rules: list[Rule]) -> Iterator[str]:
    for rule in rules:
        if rule.green and rule.tags and not (rule.branches or rule.pull_requests):
            yield f"“{rule.name}” demands green of tags alone, which are not asked about: it holds for branches."


def _not_alone(rules: list[Rule]) -> Iterator[str]:
    for rule in rules:
        if rule.agents_alone and (asking := [demand for demand in rule.demands if demand != "green"]):
            waits = "they wait for a person all the same"
            yield f"“{rule.name}” lets agents act alone and demands {' and '.join(asking)}: {waits}."


def _of_no_project(rules: list[Rule], aliases: Collection[str] | None) -> Iterator[str]:
    known = None if aliases is None else {spelled_alike(alias) for alias in aliases}
    for rule in rules:
        for pattern in rule.projects:
            name = pattern.removeprefix("!")
            if is_plain(name) and "/" not in name and (known is None or spelled_alike(name) not in known):
                alias = "can only mean an alias" if known is None else "is no alias"
                rest = f"All of an organisation is {name}/*."
                yield f"“{rule.name}” names {name}, which {alias} of the projects file. {rest}"
