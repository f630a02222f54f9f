"""How alike two words are: a slip of the finger is told from another word. Pure.

What is offered instead of what somebody typed must be what they meant, so everything here is rather too strict.
"""

import difflib
from collections.abc import Iterable, Sequence

# What is compared takes time with the product of both lengths, and whoever pushes or types chooses them.
LONGEST = 60
# And where it is compared for the nearest of many, with the third power.
LONGEST_ALIKE, MOST_ALIKE = 60, 30
SHORT, LONG = 5, 6
# A word with one of these around the whole of a name says something else: `undeploy`, `approved`, `locks`.
_ENDINGS = ("s", "es", "d", "ed", "ied", "er", "ing")
_BEGINNINGS = ("un", "re", "de", "dis", "pre", "non", "auto")
_OTHER_WORDS = frozenset(("my", "return", "reran", "cancer", "match", "catch", "patch", "batch"))
# Whoever asks wants to be told, and nothing done: `?` in the signs of other alphabets and keyboards too.
_QUESTION_MARKS = frozenset("?¿؟;՞፧⁇⁈⁉‽⸮︖﹖？❓❔")


def distance(one: str, other: str) -> int:
    """Return how many letters were added, left out, changed or swapped with their neighbour (Damerau)."""
    if max(len(one), len(other)) > LONGEST:
        return LONGEST
    rows = [list(range(len(other) + 1))]
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, their in enumerate(other, 1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (letter != their))
            if i > 1 and j > 1 and (letter, one[i - 2]) == (other[j - 2], their):
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]


def is_slip(word: str, name: str) -> bool:
    """Say whether a word is surely a misspelling of a command's name, by two letters at most, and no other word."""
    if _has_signs(word) or word in _OTHER_WORDS or _is_another_form(word, name):
        return False
    away = distance(word, name)
    if len(name) < SHORT:  # so short that a letter changed is most often another word: `look`, `block`, `end`
        return away == 1 and word[:1] == name[:1] and (len(word) != len(name) or sorted(word) == sorted(name))
    return away == 1 or (away == 2 and len(word) >= LONG and word[:1] == name[:1] and _exchanged(word, name) < 2)


def is_question(words: Iterable[str]) -> bool:
    """Say whether a line of these words asks something, with a question mark in any of them."""
    return any(not _QUESTION_MARKS.isdisjoint(word) for word in words)


def _has_signs(word: str) -> bool:
    """Say whether there is more in a word than letters: `deploy?`, `!deploy` and `>deploy` say something else."""
    return not word.replace("-", "x").isalpha() or word[0] == "-" or word[-1] == "-"


def are_alike(typed: str, known: str) -> bool:
    """Say whether the known name of a branch or a project may be what was typed: another number never is."""
    one, other = typed.casefold(), known.casefold()
    if one == other:
        return typed != known
    if [letter for letter in one if letter.isdigit()] != [letter for letter in other if letter.isdigit()]:
        return False
    return distance(one, other) <= min(2, len(one) // 4)


def may_be_slip(typed: str, known: str) -> bool:
    """Say whether a name may be a slip in a known one, also a short one: for what is asked back, and never done."""
    one, other = typed.casefold(), known.casefold()
    is_near = min(len(one), len(other)) > 2 and distance(one, other) == 1
    return are_alike(typed, known) or (is_near and not any(map(str.isdigit, one + other)))


def near_miss(name: str, branches: Sequence[str]) -> str:
    """Return the branch that is spelled almost so, in another case or with a folder first; empty text for none."""
    same = [one for one in branches if one.casefold() == name.casefold()]
    same += [one for one in branches if name.startswith(f"{one}/")]
    return next(iter(same or _alike(name, branches, 1)), "")


def likely(name: str, branches: Sequence[str], most: int) -> tuple[str, ...]:
    """Return the branches that may be meant: those spelled alike, then the newest."""
    return tuple(dict.fromkeys([*_alike(name, branches, most), *branches]))[:most]


def _alike(name: str, branches: Sequence[str], most: int) -> list[str]:
    """Return the branches that are spelled most alike, of as many and as long ones as cost no time."""
    short = [one for one in dict.fromkeys(branches) if len(one) <= LONGEST_ALIKE][:MOST_ALIKE]
    return difflib.get_close_matches(name, short, n=most) if len(name) <= LONGEST_ALIKE else []


def _is_another_form(word: str, name: str) -> bool:
    stem = name.removesuffix("e")
    stems = (name, stem, stem + stem[-1])
    # `prerun` and `relock` are no slips of `rerun` and `unlock`, whose own beginning is left out here.
    bare = [name, *(name.removeprefix(begin) for begin in _BEGINNINGS if name.startswith(begin))]
    forms = {f"{one}{ending}" for one in stems for ending in _ENDINGS}
    forms |= {f"{begin}{one}" for one in bare for begin in ("", *_BEGINNINGS)}
    return word in forms and word != name


def _exchanged(word: str, name: str) -> int:
    """Return how many letters stand for others: `unlink` has two that `unlock` has not."""
    missing, left = 0, list(word)
    for letter in name:
        if letter in left:
            left.remove(letter)
        else:
            missing += 1
    return max(missing, len(left))
