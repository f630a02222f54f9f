"""What a line leaves out, or names by less than the whole name, read beside what is known where it is said. Pure.

A project before a branch: a name that one project has is that project, whatever branches there are. What no project is
called so is of the thread's project, else of the channel's.
"""

from collections.abc import Sequence
from typing import NamedTuple

from bot import ends
from bot.answers.lines import How
from bot.errors import UsageError
from bot.grammar import Word, aliased, is_parameter
from bot.links import is_link
from bot.models.circleci import ProjectSlug, Ref
from bot.models.likeness import are_alike
from bot.models.slugs import VCS
from bot.models.spelling import as_typed
from bot.reasons import is_surely_a_ref
from bot.refs import number
from bot.settings import Projects
from bot.targets import is_project

ALL_OF_IT = ("cancel", "approve", "unwatch")  # they list what there is, of all branches
LOCKS = ("lock", "unlock")  # whose other words are a reason
USE, USES_NOTHING = "use", ("nothing", "none", "off")
OF_WORKFLOWS = ("triage", "tests", "logs", "flaky")  # they show all that ran in a build, or in several
NEW = ("deploy", "watch")  # of a thread's build they take the branch, as it is now
_OF_ANY_WORD = ("may", "why")  # whose first word is that of another command
ALL, AUDIT = ("all", "everything"), "audit"
# What is about a whole project, with the words before it; what stands behind it may be the name of something in it.
OF_PROJECT: dict[str, Sequence[str]] = {
    "env": ("list", "set", "remove"),
    "keys": ("list", "show", "add", "remove"),
    "ssh-key": ("add",),
    "cache": ("clear",),
    **dict.fromkeys(("webhook", "locks", "subscribe", "unsubscribe", AUDIT), ()),
}
_WITH_A_NAME = ("env", "keys")
# Words before the project; None is any word.
_FIRST: dict[str, Sequence[str] | None] = {"artifacts": ("get",), **OF_PROJECT, **dict.fromkeys(_OF_ANY_WORD)}
_MODES = {"rerun": ("all", "failed", "ssh")}
_BEFORE_A_PROJECT = ("to", "of", "on", "in", "for", "from")
_BEFORE_A_REF, _TO = ("on", "of", "at"), ("to",)
MOST_CHANGED = 2  # letters of a name that is misspelled
_POLITE = ("please", "pls", "bitte")
_IT = ("it", "this")  # what is meant where it is said: a branch that is called so goes in quotes
_HERE = ("here",)


class Project(NamedTuple):
    """A project as people call it."""

    slug: ProjectSlug
    title: str

    @property
    def name(self) -> str:
        """What it is called within its organisation."""
        return self.title.rpartition("/")[2]


class Seen(NamedTuple):
    """A build that a thread or a channel follows, or what a channel uses: then without a number."""

    slug: ProjectSlug
    title: str
    ref: Ref | None = None
    number: int = 0


class Known(NamedTuple):
    """What may be meant where a line is said.

    All `projects` that somebody may see, what the `thread` is about, what the channel uses (`default`), or has
    subscribed to where that `is_heard`, the builds of the number that a line names, of those that are followed `here`,
    and whether the first word `is_branch` of the thread's or the channel's project. What has a slash `is_no_project`
    where CircleCI knows none of this name.
    """

    projects: Sequence[Project] = ()
    thread: Sequence[Seen] = ()
    default: Seen | None = None
    is_heard: bool = False
    here: Sequence[Seen] = ()
    is_branch: bool = False
    is_no_project: bool = False

    @property
    def meant(self) -> Sequence[Seen]:
        """The projects that may be meant where none is named: those of the thread, else the channel's."""
        if self.thread:
            return list({one.slug: one for one in self.thread}.values())
        return [self.default] if self.default else []

    @property
    def by_channel(self) -> How:
        """How the channel's project was found."""
        return How.HEARD if self.is_heard else How.CHANNEL

    @property
    def surely(self) -> Seen | None:
        """The one project that is meant where none is named."""
        return self.meant[0] if len(self.meant) == 1 else None


class Line(NamedTuple):
    """The words behind a command, with the project in full, and how it was found."""

    words: tuple[Word, ...]
    how: How = How.IN_FULL
    title: str = ""


def place(command: str, words: Sequence[Word]) -> int:
    """Return where behind a command the project stands."""
    if command == AUDIT:
        return next((at for at, word in enumerate(words) if not _says_when_or_who(word.text)), len(words))
    before = _FIRST.get(command, ())
    is_before = bool(words) and (before is None or words[0].text.lower() in before)
    return 1 if is_before else 0


def _says_when_or_who(text: str) -> bool:
    return text.startswith(("@", "<@")) or text[:-1].isdecimal()


def plainly(command: str, words: Sequence[Word], projects: Projects) -> tuple[Word, ...]:
    """Return the words behind a command without those that are read over, and the project first, where that is clear.

    What stands behind `to` is no branch: who deploys to a place means an environment, and is told that there is none.
    """
    if command == USE and words and _is(words[-1], _HERE):
        words = words[:-1]  # as its button says: `Use acme/frontend here`
    if command in LOCKS:
        return () if len(words) == 1 and _is(words[0], _IT) else tuple(words)
    at = place(command, words)
    before, rest = list(words[:at]), list(words[at:])
    if command not in OF_PROJECT and _is_it(command, rest):
        rest.pop(0)
    # `deploy acme/frontend please` names something, and must not mean the default branch.
    if rest and _is(rest[-1], _POLITE) and not (len(rest) == 2 and _is_project(rest[0], projects)):
        rest.pop()
    if len(rest) > 1 and _is(rest[0], _BEFORE_A_PROJECT) and (_is_project(rest[1], projects) or not _is(rest[0], _TO)):
        rest.pop(0)
    if _is_turned(rest, projects):
        rest = [rest[2], rest[0], *rest[3:]]
    if _leads_to_a_ref(rest) and _is_project(rest[0], projects) and not _may_be_either(rest, projects):
        rest.pop(1)
    return (*before, *rest)


def _is_it(command: str, rest: Sequence[Word]) -> bool:
    """Say whether a line only points at what it is about, as `cancel it` and `rerun this all` do."""
    if not rest or not _is(rest[0], _IT):
        return False
    return len(rest) == 1 or is_parameter(rest[1]) or _is(rest[1], (*_MODES.get(command, ()), *_TO, *_POLITE))


def _leads_to_a_ref(rest: Sequence[Word]) -> bool:
    return len(rest) > 2 and _is(rest[1], _BEFORE_A_REF)


def _may_be_either(rest: Sequence[Word], projects: Projects) -> bool:
    """Say whether it takes the known projects to tell which is one, as in `release/v2.0 of acme/frontend`."""
    return _is_project(rest[2], projects) and not _is_surely_project(rest[0], projects)


def _is_turned(rest: Sequence[Word], projects: Projects) -> bool:
    """Say whether the project stands behind its branch, as in `main of acme/frontend`."""
    if not (may_be_turned(rest) and _is_project(rest[2], projects)):
        return False
    if not _is_project(rest[0], projects):
        return True
    return _is_surely_project(rest[2], projects) and not _is_surely_project(rest[0], projects)


def _is_surely_project(word: Word, projects: Projects) -> bool:
    """Say whether a word that is made like a project's name can be nothing else."""
    text = word.text
    is_one = is_link(text) or aliased(text, projects) is not None or text.partition("/")[0].lower() in VCS
    return not word.quoted and is_one


def _is_project(word: Word, projects: Projects) -> bool:
    return not word.quoted and is_project(word, projects)


def _is(word: Word, names: Sequence[str]) -> bool:
    return not word.quoted and word.text.lower() in names


def is_in_full(command: str, words: Sequence[Word], projects: Projects) -> bool:
    """Say whether a line names its project so that it can be nothing else; `release/v2.0` may be a branch too."""
    behind = words[place(command, words) :]
    if not words and command in (*_OF_ANY_WORD, USE):
        return True  # it asks what is meant, or is asked
    if command == USE and len(words) == 1 and _is(words[0], USES_NOTHING):
        return True
    if command in OF_PROJECT and behind:
        return _is_project(behind[0], projects) or (command not in _WITH_A_NAME and _is(behind[0], ALL))
    if not behind or not _is_project(behind[0], projects) or may_be_turned(behind):
        return False
    return _is_surely_project(behind[0], projects)


def may_be_turned(rest: Sequence[Word]) -> bool:
    """Say whether the project may stand behind its branch."""
    return len(rest) > 2 and _is(rest[1], _BEFORE_A_PROJECT)


def asked_number(command: str, words: Sequence[Word]) -> int:
    """Return the number of the build that a line names without a project, 0 for none."""
    behind = words[place(command, words) :]
    is_one = bool(behind) and not behind[0].quoted and behind[0].text[:1] == "#"
    return (number(behind[0].text[1:]) or 0) if is_one else 0


def read(command: str, words: Sequence[Word], projects: Projects, known: Known) -> list[Line]:
    """Return each line that may be meant, none where the line can only be read as it stands."""
    at = place(command, words)
    before, rest = tuple(words[:at]), tuple(words[at:])
    is_name = bool(rest) and not rest[0].quoted and _may_name_a_ref(command, rest[0])
    found = (_named(command, rest, projects, known) if is_name else []) or _without(command, rest, known)
    return [one._replace(words=(*before, *one.words)) for one in found]


def _named(command: str, rest: tuple[Word, ...], projects: Projects, known: Known) -> list[Line]:
    """Return what the first words mean as the name of a project."""
    if len(rest) > 1 and _is(rest[0], _BEFORE_A_PROJECT) and called(rest[1].text, known):
        rest = rest[1:]
    if may_be_turned(rest) and not called(rest[0].text, known) and (of := called(rest[2].text, known)):
        how = How.ORDER if "/" in rest[2].text else How.SHORT
        return [_line(one, "", (rest[0], *rest[3:]))._replace(how=how) for one in of]
    if is_project(rest[0], projects):
        if (known.is_branch or known.is_no_project) and not called(rest[0].text, known):
            return []
        is_reason = command in LOCKS
        return [Line((rest[0], *rest[2:]) if _leads_to_a_ref(rest) and not is_reason else rest)]
    if len(rest) > 1 and not rest[1].quoted and (of := called(f"{rest[0].text}/{rest[1].text}", known)):
        return [_line(one, "", rest[2:]) for one in of]
    name, colon, behind = rest[0].text.partition(":")
    more = rest[2:] if len(rest) > 2 and _is(rest[1], _BEFORE_A_REF) and not colon else rest[1:]
    return [_line(one, f"{colon}{behind}", more) for one in called(name, known)]


def called(name: str, known: Known) -> list[Project]:
    """Return the projects of this name, which may have its organisation before it."""
    said = name.casefold()
    return [one for one in known.projects if said in (one.title.casefold(), one.name.casefold(), one.slug.casefold())]


def is_near_a_project(name: str, known: Known, projects: Projects) -> bool:
    """Say whether a word with a slash is spelled almost as a project is, or begins as one: with its organisation."""
    slug = name if name.partition("/")[0].lower() in VCS else f"{projects.default_vcs}/{name}"
    owners = {one.title.partition("/")[0].casefold() for one in known.projects}
    is_owned = slug.split("/")[1].casefold() in owners
    return is_owned or any(are_alike(slug, one.slug) for one in known.projects)


def _line(project: Project, glued: str, behind: Sequence[Word]) -> Line:
    return Line((Word(f"{project.slug}{glued}"), *behind), How.SHORT, project.title)


def _without(command: str, rest: tuple[Word, ...], known: Known) -> list[Line]:
    """Return what a line without a project means in a thread, or in a channel."""
    if command in OF_PROJECT:
        return _of_project(command, rest, known)
    if command in LOCKS:
        return _to_lock(command, rest, known)
    if not known.thread and known.here:
        return _followed(rest, known)
    if rest and _may_name_a_ref(command, rest[0]):
        found = [Line((Word(one.slug), *rest), _how(known), one.title) for one in known.meant]
        return found or _like(rest, known)
    if known.thread:
        return _of_thread(command, rest, known)
    if known.default is None:
        return []
    ref = None if command in ALL_OF_IT else known.default.ref
    named = (Word(known.default.slug), *([spelled(ref)] if ref else []))
    return [Line((*named, *rest), known.by_channel, known.default.title)]


def _of_project(command: str, rest: tuple[Word, ...], known: Known) -> list[Line]:
    """Return what a word about a whole project means without one; what can be nothing but a project gets no default."""
    near = _like(rest, known) if rest else []
    if near or (rest and command not in _WITH_A_NAME):
        return near
    return [Line((Word(one.slug), *rest), _how(known), one.title) for one in known.meant]


def _how(known: Known) -> How:
    return How.THREAD if known.thread else known.by_channel


def _to_lock(command: str, rest: tuple[Word, ...], known: Known) -> list[Line]:
    """Return what is locked or unlocked without a project: a branch of it that is named, or what is meant here.

    In a thread a reason is about the branch of its build. In a channel it is read as behind the project: it may begin
    with a branch that only CircleCI knows, or that is misspelled. An end is no reason.
    """
    seen = known.thread or ([known.default] if known.default else [])
    found = [Line(_locked(command, rest, one, known), _how(known), one.title) for one in seen]
    return list(dict.fromkeys(found))


def _locked(command: str, rest: tuple[Word, ...], seen: Seen, known: Known) -> tuple[Word, ...]:
    if rest and known.is_branch:
        return (Word(f"{seen.slug}:{rest[0].text}"), *rest[1:])
    is_more = bool(rest if command == "unlock" else _without_end(rest))
    is_named = is_more and (command == "unlock" or not known.thread or is_surely_a_ref(rest[0].text))
    return (Word(seen.slug if is_named or seen.ref is None else f"{seen.slug}:{seen.ref}"), *rest)


def _without_end(rest: Sequence[Word]) -> Sequence[Word]:
    try:
        return ends.find(rest)[1]
    except UsageError:  # which is told when all of the line is read
        return rest


def _followed(rest: tuple[Word, ...], known: Known) -> list[Line]:
    """Return the builds of this number that the channel follows, and that of its project."""
    found = [Line((Word(one.slug), *rest), How.FOLLOWED, one.title) for one in known.here]
    default = known.default
    if default and all(one.slug != default.slug for one in known.here):
        found.append(Line((Word(default.slug), *rest), known.by_channel, default.title))
    return found


def _of_thread(command: str, rest: tuple[Word, ...], known: Known) -> list[Line]:
    """Return what a word needs to be told of the thread's build; most find it by themselves."""
    return [line for seen in known.thread if (line := _of_build(command, rest, seen))]


def _of_build(command: str, rest: tuple[Word, ...], seen: Seen) -> Line | None:
    if command in NEW:
        words = [Word(seen.slug), Word(f"#{seen.number}")]
    elif command in ("may", "why"):
        words = [Word(seen.slug), *([spelled(seen.ref)] if seen.ref else [])]
    else:
        words = []
    return Line((*words, *rest), How.THREAD, seen.title) if words else None


def _may_name_a_ref(command: str, word: Word) -> bool:
    if word.quoted:
        return True
    is_mode = word.text.lower() in _MODES.get(command, ())
    return not (is_mode or is_parameter(word) or "*" in word.text)


def beside(words: Sequence[Word], ref: Ref | None, *numbers: str) -> list[Word]:
    """Return the words behind a project without the one that names its branch, its tag or its build."""
    names = (str(ref), *numbers) if ref else numbers
    at = next((at for at, word in enumerate(words) if word.text in names), len(words))
    return [*words[:at], *words[at + 1 :]]


def spelled(ref: Ref) -> Word:
    """Return a branch or a tag as a word, in quotes where it would be read otherwise."""
    text = as_typed(str(ref))
    return Word(str(ref), quoted=text != str(ref))


def _like(rest: tuple[Word, ...], known: Known) -> list[Line]:
    """Return the projects whose name is nearly what was typed."""
    name = rest[0].text
    near = [one for one in known.projects if not rest[0].quoted and _may_be_alike(name, one.name)]
    near = [one for one in near if are_alike(name, one.name)]
    return [_line(one, "", rest[1:])._replace(how=How.LIKE) for one in near]


def _may_be_alike(name: str, other: str) -> bool:
    """Say whether it is worth the time to compare two names: there may be thousands of projects."""
    letters = set(name.casefold()) ^ set(other.casefold())
    return abs(len(name) - len(other)) <= MOST_CHANGED and len(letters) <= 2 * MOST_CHANGED
