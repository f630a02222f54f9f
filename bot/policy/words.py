"""What can be permitted, and what can be demanded of it."""

import json
from collections.abc import Sequence
from enum import StrEnum


class Word(StrEnum):
    """What can be permitted."""

    READ = "read"
    DEPLOY = "deploy"
    RERUN = "rerun"
    CANCEL = "cancel"
    APPROVE = "approve"
    SECRETS = "secrets"
    KEYS = "keys"
    SSH = "ssh"
    ADMIN = "admin"


ALL_WORDS = "*"
ALONE = (Word.DEPLOY, Word.RERUN, Word.CANCEL)  # what an agent can ask for, and a rule let it do by itself
_WAITING = (Word.DEPLOY, Word.RERUN, Word.APPROVE)

# The table of demands: what each can be asked of. A rerun has no green: what one reruns is red.
CARRIED_BY: dict[str, tuple[Word, ...]] = {
    "second_person": _WAITING,
    "typed": _WAITING,
    "green": (Word.DEPLOY,),
}


def not_alone(words: Sequence[str]) -> str:
    """Return why agents cannot do all of these words by themselves, and what to write; empty text where they can."""
    able = [word for word in words if word in ALONE]
    unable = [word for word in words if word not in ALONE and word != ALL_WORDS]
    if not unable:
        return ""
    wrong = f"agents_alone is no matter of {in_words(unable)}, only of {in_words(ALONE)}:"
    if not able:
        return f"{wrong} take agents_alone out."
    rest = f"one with words = {_listed(unable)} without agents_alone"
    return f"{wrong} split the rule, one with words = {_listed(able)}, {rest}."


def uncarried(demand: str, words: Sequence[str], *, leaves_nothing: bool) -> str:
    """Return what is wrong with a demand of these words, and what to write instead; empty text where all carry it.

    Who reads the file counts on a demand, so one that nothing would ever ask for is refused. Where it `leaves_nothing`,
    the rule would do nothing without it.
    """
    carrying = CARRIED_BY[demand]
    if ALL_WORDS in words:
        rest = "" if leaves_nothing else f" Other words need a rule of their own, without {demand}."
        return f'{demand} cannot be demanded of "*": write words = {_listed(carrying)}.{rest}'
    able, unable = [word for word in words if word in carrying], [word for word in words if word not in carrying]
    if not unable:
        return ""
    red = " (what one reruns is red)" if demand == "green" and Word.RERUN in unable else ""
    wrong = f"{demand} cannot be demanded of {in_words(unable)}{red}, only of {in_words(carrying)}:"
    if not able:
        return f"{wrong} take {demand} out, or write words = {_listed(carrying)}."
    if leaves_nothing:
        return f"{wrong} write words = {_listed(able)}."
    rest = f"one with words = {_listed(unable)} without {demand}"
    return f"{wrong} split the rule, one with words = {_listed(able)}, {rest}."


def _listed(words: Sequence[str]) -> str:
    return json.dumps(list(words))


def in_words(words: Sequence[str], last: str = "and") -> str:
    """Return them as one says them."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
