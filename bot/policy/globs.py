"""Globs of a policy that nothing could fit, in words to who wrote them: a rule with one would deny nothing. Pure."""

import re

from bot.models import git

_LONG = ("refs/heads/", "refs/tags/", "heads/", "tags/", "tag:")
_NUMBERS = re.compile(r"!?[0-9*?\[\]-]+")


def branch(glob: str) -> str:
    """Return the glob; raises ValueError for one that no branch of CircleCI's fits."""
    name = glob.removeprefix("!")
    if git.pull_request(name.replace("*", "0")) or name.startswith(("pull/", "refs/pull/", "merge-requests/")):
        raise ValueError(f'{glob!r} means no branch: write pull_requests = ["*"], or their numbers')
    return ref(glob)


def ref(glob: str) -> str:
    """Return the glob; raises ValueError for one that no branch or tag fits."""
    name = glob.removeprefix("!")
    for long in _LONG:
        if name.startswith(long):
            raise ValueError(f"{glob!r} fits nothing: write it without {long}")
    if name != name.strip() or not name:
        raise ValueError(f"{glob!r} fits nothing: no name begins or ends with a blank")
    if fault := git.fault(filled(name, "x")):
        raise ValueError(f"{glob!r} fits nothing: {_instead(name, fault)}")
    return glob


def project(glob: str) -> str:
    """Return the glob; raises ValueError for one that neither a slug, a name nor an alias fits."""
    name = glob.removeprefix("!")
    if not name or "://" in glob or any(map(str.isspace, glob)):
        raise ValueError(f"{glob!r} fits nothing: write it as acme/frontend, by its slug or by an alias")
    plain = filled(name, "x")
    if ":" in plain:
        wanted = f"write {glob.partition(':')[0]!r}, and what is behind the colon as branches or tags"
        raise ValueError(f"{glob!r} fits nothing: {wanted}")
    if "[" in plain:
        raise ValueError(f"{glob!r} fits nothing: its [ has no ]")
    if plain.startswith("/") or plain.endswith("/"):
        raise ValueError(f"{glob!r} fits nothing: write acme/* for all of an organisation, with no / around it")
    return glob


def number(glob: str) -> str:
    """Return the glob; raises ValueError for one that is not over the numbers of pull requests."""
    if not _NUMBERS.fullmatch(glob) or not filled(glob.removeprefix("!"), "1").isdecimal():
        raise ValueError(f"{glob!r} is no number of a pull request, and no glob over numbers")
    return glob


def filled(glob: str, letter: str) -> str:
    """Return a text that fits a glob, with a letter for each `*`, `?` and `[…]`.

    What is wrong with it for git is wrong with all that fits: no other letter could put it right. As for fnmatch, a `[`
    that nobody closes stands for itself, and a `]` right behind one closes nothing.
    """
    found: list[str] = []
    at = 0
    while at < len(glob):
        closed = glob.find("]", at + (3 if glob.startswith("[!", at) else 2)) if glob[at] == "[" else -1
        if glob[at] == "[" and closed < 0:
            return "".join(found) + glob[at:]
        found.append(letter if glob[at] in "[*?" else glob[at])
        at = max(closed, at) + 1
    return "".join(found)


def is_plain(glob: str) -> bool:
    """Say whether a glob stands for one name alone."""
    return not any(one in glob for one in "*?[")


def _instead(name: str, fault: str) -> str:
    """Return what is wrong with a name, and what to write."""
    if "[" in filled(name, "x"):
        return "its [ has no ]"
    if name.endswith("/"):
        return f"{fault}. Write {name + '*'!r} for all below it, or {name.rstrip('/')!r}" if name.strip("/") else fault
    if name == "HEAD":
        return f"{fault}. Write the branch's own name, as in 'main'"
    return f"{fault}. Write it as git has it, or take it out"
