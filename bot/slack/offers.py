"""What may have been meant instead of what was typed: lines that can be carried out, and name all they would do. Pure.

A look is offered as it is, and so is what answers with buttons of its own. An act is offered for a slip in its name, or
in that of a branch, a tag or a project alone; and only where the line names the project and what of it is meant, so
that the dialog before it can. Who asks a question is offered none.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from pydantic import ValidationError

from bot.errors import BotError, Elsewhere, NotFound, RateLimited, Sentence, TooLarge, Unavailable, UsageError
from bot.grammar import Word, parse_project, split
from bot.masks import masked
from bot.models.caller import Caller
from bot.models.circleci import ProjectSlug, Ref
from bot.models.likeness import are_alike, is_question
from bot.models.spelling import as_typed, quoted
from bot.naming import USE
from bot.requests import OfTarget, Request
from bot.routing import Command, Router
from bot.settings import Projects
from formatters.again import verb_of
from formatters.meant import of_whole
from formatters.offers import Offer

_VERSION = re.compile(r"v?[0-9]+\.[0-9][\w.-]*")
_TAG = "tag:"
AGAIN = "Try again"
_NOTIFY = "notify"
_SHOWN = {"approve": "Show what waits", "cancel": "Show what runs"}  # they answer with buttons of their own


class Vocabulary(NamedTuple):
    """What lines are made of: the commands, and the projects with their short names and what is followed of them."""

    router: Router
    projects: Projects
    followed: Sequence[ProjectSlug] = ()


def offered(problem: BotError, typed: str, words: Vocabulary) -> tuple[Offer, ...]:
    """Return what may have been meant, or the same where it may be tried again; `typed` is the line that led there."""
    if _may_be_tried_again(problem):
        once_more = _offer(typed, words, of_project=False)
        return (once_more._replace(label=AGAIN),) if once_more else ()
    of_project = isinstance(problem, NotFound) and problem.what == "project"
    if isinstance(problem, Sentence) and not problem.did_you_mean:
        return _of_lines(() if problem.place or problem.later else problem.lines, words)
    found = [_offer(line, words, of_project=of_project) for line in dict.fromkeys(_lines(problem, typed, words))]
    return tuple(offer for offer in found if offer is not None)


def as_answered(offers: Sequence[Offer], caller: Caller) -> tuple[Offer, ...]:
    """Return the offers with what who asks has answered before: of the same once more all of it."""
    return tuple(
        one._replace(directly=caller.directly, unbuilt=caller.unbuilt and one.label == AGAIN) for one in offers
    )


def _may_be_tried_again(problem: BotError) -> bool:
    """Say whether CircleCI surely did nothing for want of a turn or of an answer: a while later it may."""
    if isinstance(problem, Elsewhere | TooLarge):
        return False
    if isinstance(problem, Unavailable):
        return problem.of_read or not problem.arrived
    return isinstance(problem, RateLimited)


def _of_lines(lines: Sequence[str], words: Vocabulary) -> tuple[Offer, ...]:
    """Return what a sentence may mean: what only answers is offered as it is, an act as everywhere."""
    found = [_offer(line, words, of_project=False, is_read=True) for line in dict.fromkeys(lines)]
    return tuple(offer for offer in found if offer is not None)


def _lines(problem: BotError, typed: str, words: Vocabulary) -> Iterator[str]:
    if isinstance(problem, UsageError) and problem.did_you_mean:
        yield from _as_typed(problem.did_you_mean, split(typed))
    if isinstance(problem, UsageError) and problem.repaired:
        yield problem.repaired
    if isinstance(problem, NotFound) and problem.what == "project":
        yield from _with_another_project(problem, split(typed), words)
    elif isinstance(problem, NotFound):
        yield from _with_another_ref(problem, split(typed))


def _as_typed(line: str, typed: Sequence[Word]) -> Iterator[str]:
    """Yield the line of another word, where what stands behind it is read as it was typed."""
    behind = split(line)[1:]
    if behind == typed[len(typed) - len(behind) :]:
        yield line


def _with_another_project(problem: NotFound, typed: Sequence[Word], words: Vocabulary) -> Iterator[str]:
    default = f"{words.projects.default_vcs}/"
    for slug in words.followed:
        if are_alike(problem.name, slug):
            yield from _replaced(typed, lambda word: _is(word, problem.name, words), slug.removeprefix(default))


def _is(word: Word, slug: str, words: Vocabulary) -> bool:
    try:
        return parse_project(word.text, words.projects).slug == slug
    except UsageError:
        return False


def _with_another_ref(problem: NotFound, typed: Sequence[Word]) -> Iterator[str]:
    """Yield the line with the tag of the very name, where that looks like one, and with each branch spelled alike."""
    name, is_tag = problem.name, problem.what.endswith("tag")
    spelled = {f"{_TAG}{name}"} if is_tag else {name}
    refs = [f"{_TAG}{name}"] if not is_tag and _VERSION.fullmatch(name) else []
    refs += [branch for branch in problem.built_lately if are_alike(name, branch) or (is_tag and name == branch)]
    for ref in refs:
        yield from _replaced(typed, lambda word: word.text in spelled, as_typed(ref))


def _replaced(typed: Sequence[Word], is_meant: Callable[[Word], bool], by: str) -> Iterator[str]:
    """Yield the line with the first word behind the command's that is meant replaced."""
    for at, word in enumerate(typed[1:], 1):
        if is_meant(word):
            line = " ".join([*map(_again, typed[:at]), by, *map(_again, typed[at + 1 :])])
            if split(line) == [*typed[:at], *split(by), *typed[at + 1 :]]:
                yield line
            return


def _again(word: Word) -> str:
    return quoted(word.text) if word.quoted else word.text


def _offer(line: str, words: Vocabulary, *, of_project: bool, is_read: bool = False) -> Offer | None:
    """Return the offer of a line that can be carried out; None where it cannot, or does not name what it is about.

    Its label says of which project it is, where it is `of_project` that one is in doubt. What `is_read` out of a
    sentence bears all of its line, and is no correction of a command that takes a secret.
    """
    if masked(line) != line:
        return None  # whatever stands on a button is kept
    try:
        command, rest = words.router.find(said := split(line))
        request: Request = command.parse(rest, words.projects)
        title, ref = request.shown(words.projects)
    except (UsageError, ValidationError):
        return None
    if not command.only_looks and is_question(word.text for word in said if not word.quoted):
        return None
    if is_read and command.only_answers:
        whole = f"{title} {_target(request, ref)}".strip()
        return Offer(line, _label(command, whole) if command.name in _SHOWN and whole else line)
    offer = _of(command, line, title, request, ref)
    if offer is not None and of_project:
        offer = offer._replace(label=_label(command, f"{title} {_target(request, ref)}"))
    return offer if offer and offer.button else None


def _of(command: Command, line: str, title: str, request: Request, ref: Ref | None) -> Offer | None:
    target = _target(request, ref)
    if command.name == _NOTIFY:
        return Offer(line, line.capitalize(), "Your own builds, in direct messages")
    label = _label(command, target or title, line) if target or not command.only_looks else line
    if command.only_looks and command.name != USE:  # which takes no more right than to look, and is for all
        return Offer(line, label)
    is_more = len(split(line)) > len(("lock", title))
    whole = "" if target or not title else of_whole(command.name, is_more=is_more)
    if whole and is_more:  # what stands behind the project may be a branch, which CircleCI alone knows
        label = _label(command, line.partition(" ")[2])
    if not title or not (target or whole):
        return None
    # It does nothing before something of its own is pressed, so no dialog says that it does.
    if command.only_answers and command.name != USE:
        return Offer(line, label)
    names = f"Project {title}, {f'{ref.kind} {ref.name}' if ref else target or whole}"
    return Offer(line, label, names)


def _label(command: Command, what: str, line: str = "") -> str:
    """Return what a press does: what an act's name alone lists is shown, and not done."""
    shown = _SHOWN.get(command.name)
    return f"{shown}: {what}" if shown else f"{verb_of(line or command.name)} {what}"


def _target(request: Request, ref: Ref | None) -> str:
    """Return what of a project is named, as it stands on a button."""
    if ref is None and isinstance(request, OfTarget):
        return f"#{request.pipeline}" if request.pipeline else f"job {request.job}" if request.job else ""
    return str(ref or "")
