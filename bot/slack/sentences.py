"""A line that is no command, but may be a sentence: what it is read as, what of that runs, and what is asked first."""

import asyncio
from collections.abc import Sequence

from pydantic import ValidationError

from bot import ends
from bot.errors import CircleCIError, NotAllowed, Sentence, UsageError, UserError
from bot.grammar import Word as Typed
from bot.grammar import is_parameter, split
from bot.intents.later import later_in
from bot.intents.reading import Default, Reading, line_of, reader_of
from bot.intents.times import tells_of_an_end
from bot.models.caller import Caller
from bot.models.circleci import ProjectSlug
from bot.models.likeness import is_slip
from bot.models.spelling import as_typed
from bot.policy import Word
from bot.reading import heard_here, parsed, takes_heard, used_here
from bot.refs import TAG
from bot.requests import OfTarget
from bot.routing import EARLIER_NAMES, Command, Context, Router, without_address
from bot.settings import Projects
from bot.targets import is_project

_SAID_BEHIND = ("help", "--help", "—help", "–help", "-h", "get", "clear")  # as only a command has it
_BEGIN = "¿¡#@<\"'“„‚«"  # beside letters: `>`, `!` and `-` before a command quote it, or call something else by it
_WHY = "why"  # the earlier name of what says whether one may do something, which takes a word of that
_LOCK, _TO_A_PLACE, _AT_ONCE = "lock", ("deploy", "rerun"), ("deploy", "rerun", "unlock")
_HELP = "help"
_UNWATCH, _NOTIFY, _WHEN = "unwatch", "notify", ("when", "whenever", "if", "once", "my")
MOST_PROJECTS = 3
SHORTEST = 2  # words behind the name of a command, of what is a sentence and no slip in a line


def is_sentence(words: Sequence[Typed], router: Router, projects: Projects) -> bool:
    """Say whether a line is to be read as a sentence: it is no command, or begins with another word for one.

    Behind the name of a command, a name, a number and its own words show that a command was meant; and behind one of
    those that take secrets nothing is read as anything else.
    """
    words = without_address(words)
    if not words or not (words[0].text[0].isalnum() or words[0].text[0] in _BEGIN):
        return False
    first, rest = words[0].text.lower(), words[1:]
    named, is_command = router.named(first), _is_read(words, router, projects)
    if named is None:
        return not is_command
    if named.name == _LOCK and first != _LOCK and _has_another_end(rest):
        return True
    if (named.name == _UNWATCH and tells_of_an_end(" ".join(word.text for word in rest))) or _is_of_mine(named, rest):
        return True
    if named.permission in (Word.SECRETS, Word.KEYS) or (rest and _is_formal(rest[0], projects)):
        return False
    if first == _WHY and rest and not _may_be_done(rest[0], router):
        return True
    if first in (named.name, EARLIER_NAMES.get(named.name)):
        if rest and rest[0].text.lower() in _acts_of(named.help.usage):
            return False  # as `agent add`: what is wrong behind that is said
        own = named.help.usage.replace("|", " ").replace("[", " ").replace("]", " ").split()
        return not is_command and len(rest) >= SHORTEST and any(word.text.lower() not in own for word in rest)
    return not is_command or bool(rest)


def _is_of_mine(named: Command, words: Sequence[Typed]) -> bool:
    """Say whether somebody asks in a sentence to be told of their own builds: `notify me when my builds fail`."""
    return named.name == _NOTIFY and any(word.text.lower() in _WHEN for word in words)


def _acts_of(usage: str) -> frozenset[str]:
    """Return the words of which a command takes one first, where there are several: `agent [list | add <name>]`."""
    ways = usage.partition(" [")[2].split("|") if " [" in usage[: usage.find(" ") + 2] else []
    acts = frozenset(act for way in ways if (act := way.strip().split(" ")[0].strip("]")).isalpha())
    return acts if len(acts) > 1 else frozenset()


def _has_another_end(words: Sequence[Typed]) -> bool:
    """Say whether the words tell of the end of a lock as no command does, but a sentence: `bis morgen 9 Uhr`."""
    try:
        until, _ = ends.find(words, behind_a_branch=True)
    except UsageError:
        return False
    return not until and tells_of_an_end(" ".join(word.text for word in words))


def _may_be_done(word: Typed, router: Router) -> bool:
    """Say whether a word is something that one may do, or a slip of one: `why broken` asks something else."""
    named = word.text.lower().rstrip("?")
    return named in list(Word) or any(is_slip(named, one) or named == one for one in router.commands)


def _is_read(words: Sequence[Typed], router: Router, projects: Projects) -> bool:
    try:
        command, rest = router.find(words)
        command.parse(rest, projects)
    except (UsageError, ValidationError):
        return False
    return True


def _is_formal(word: Typed, projects: Projects) -> bool:
    text = word.text
    is_number = text.removeprefix("#").isdecimal()
    is_named = word.quoted or is_parameter(word) or is_project(word, projects) or text.startswith((TAG, "refs/"))
    return is_named or is_number or text.lower() in _SAID_BEHIND


def _goes_somewhere(reading: Reading) -> bool:
    """Say whether it may be meant that a build goes to an environment; who only asks whether they may is answered."""
    return any(one.command in _TO_A_PLACE for one in reading.meant[: 1 if reading.is_sure else 2])


def _later(reading: Reading) -> str:
    """Return the words for another time than now, where it may be meant that something is done then."""
    if reading.named.starts and any(one.command == _LOCK for one in reading.meant):
        return reading.named.starts
    acts = any(one.command in _AT_ONCE for one in reading.meant[: 1 if reading.is_sure else 2])
    return (reading.named.until or later_in(reading.left)) if acts and not _is_of_a_lock(reading) else ""


def _is_of_a_lock(reading: Reading) -> bool:
    return reading.meant[0].command == _LOCK


def refused(problem: Sentence, router: Router, projects: Projects) -> UsageError | None:
    """Return why the line cannot be carried out that begins with another word for its command, if it cannot."""
    try:
        command, rest = router.find(split(problem.did_you_mean or ""))
        parsed(command, rest, projects)
    except UsageError as error:
        return error
    return None


class Sentences:
    """Reads sentences for who says them, where they are said."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def line(self, text: str, caller: Caller) -> str:
        """Return the command line that a sentence surely means, if that only shows or offers something.

        Else raises Sentence with what may be meant; returns the sentence itself where it is like nothing that is said.
        """
        reading = await self._read(text, caller)
        if reading.undoes:
            raise UsageError(
                "I take nothing back. Deploy a branch or a tag that is as it was before.", command="deploy"
            )
        if not reading.meant or (not reading.is_sure and self._is_better_read_as_typed(text)):
            return text
        first = reading.meant[0]
        if reading.is_sure and first.line and self._only_answers(first.line):
            return first.line
        lines = await self._lines(reading, caller)
        if reading.is_sure:
            await self._check(lines[0] if lines else first.command, caller)
        else:
            lines = tuple([line for line in lines if await self._may(line, caller)])
            if not lines and reading.named.project:
                return text
        problem = Sentence(first.command, lines, is_sure=reading.is_sure)
        problem.end = reading.named.unread if any(line.startswith(f"{_LOCK} ") for line in lines) else ""
        problem.place = reading.named.place if _goes_somewhere(reading) else ""
        problem.later = _later(reading)
        problem.unsaid = reading.unsaid
        problem.refused = self._refused(lines[0]) if reading.is_sure and lines else None
        raise problem

    def _refused(self, line: str) -> UsageError | None:
        """Return why the line cannot be read that is surely meant."""
        try:
            command, rest = self._context.router.find(split(line))
            command.parse(rest, self._context.projects)
        except UsageError as error:
            return error
        except ValidationError:
            return None
        return None

    def _only_answers(self, line: str) -> bool:
        return self._can_be_read(line) and self._context.router.find(split(line))[0].only_answers

    def _is_of_secrets(self, command: str) -> bool:
        return self._context.router.commands[command].permission in (Word.SECRETS, Word.KEYS)

    async def _check(self, line: str, caller: Caller) -> None:
        """Raise NotAllowed for what somebody may not do: it is not offered to them."""
        command, rest = self._context.router.find(split(line))
        projects, can_be_read = self._context.projects, self._can_be_read(line)
        slug, ref = command.parse(rest, projects).about(projects) if can_be_read else (None, None)
        await self._context.permissions.check(caller, command.permission, slug, ref, certain=False)

    async def _may(self, line: str, caller: Caller) -> bool:
        try:
            await self._check(line, caller)
        except NotAllowed:
            return False
        return True

    def _is_better_read_as_typed(self, text: str) -> bool:
        """Say whether a line begins with a command, or with a slip in the name of one: who typed it is told of that."""
        words = without_address(split(text))
        if self._context.router.commands.get(words[0].text.lower()):
            return True
        try:
            self._context.router.find(words)
        except UsageError as error:
            return bool(error.did_you_mean) and self._can_be_read(error.did_you_mean or "")
        return True

    def _can_be_read(self, line: str) -> bool:
        return _is_read(split(line), self._context.router, self._context.projects)

    async def _read(self, text: str, caller: Caller) -> Reading:
        """Return the reading; what is followed is asked for only where a project is to be found."""
        projects, commands = self._context.projects, self._context.router.commands.values()
        # At the first sentence its table is taken apart, which would hold everybody up.
        reader = await asyncio.to_thread(reader_of, tuple(command.help for command in commands))
        reading = reader.read(text, projects, reader.known(projects, ()))
        if not (reading.meant or not reading.named.is_clear) or (reading.named.project and reading.named.is_clear):
            return reading
        # Help answers in an incident too, and needs no project: only the thread may mean something else.
        is_help = bool(reading.meant) and reading.meant[0].command == _HELP
        followed = () if is_help else await self._followed(caller)
        default = await self._default(caller, followed)
        return reader.read(text, projects, reader.known(projects, followed), default)

    async def _followed(self, caller: Caller) -> Sequence[ProjectSlug]:
        try:
            return await self._context.finder.followed(caller)
        except CircleCIError:  # what it answers next may be wrong too, and is not what they asked
            return ()

    async def _default(self, caller: Caller, followed: Sequence[ProjectSlug]) -> Default | None:
        """Return what is meant where no project is named: a thread's build, what the channel uses, the only project.

        Before that one comes what the channel has subscribed to, where somebody looks.
        """
        only = Default(self._typed(followed[0])) if len(followed) == 1 else None
        surely = await self._of_thread(caller) or await self._of_channel(caller)
        return surely or await self._heard(caller, only) or only

    async def _heard(self, caller: Caller, otherwise: Default | None) -> Default | None:
        heard = await heard_here(caller, self._context)
        if heard is None:
            return None
        looks = frozenset(name for name, one in self._context.router.commands.items() if takes_heard(one))
        return Default(self._typed(heard.slug), only_for=looks, otherwise=otherwise)

    async def _of_channel(self, caller: Caller) -> Default | None:
        used = await used_here(caller, self._context)
        return Default(self._typed(used.slug), as_typed(str(used.ref)) if used.ref else "") if used else None

    async def _of_thread(self, caller: Caller) -> Default | None:
        if caller.place is None or not caller.place.thread_ts:
            return None
        try:
            found = await self._context.finder.pipeline(OfTarget(), caller)
        except (UserError, CircleCIError):  # it follows none, several, or one that they may not see
            return None
        ref = as_typed(str(found.ref)) if found.ref else ""
        return Default(self._typed(found.project_slug), ref, f"#{found.number}")

    def _typed(self, slug: ProjectSlug) -> str:
        return slug.removeprefix(f"{self._context.projects.default_vcs}/")

    async def _lines(self, reading: Reading, caller: Caller) -> tuple[str, ...]:
        """Return the lines of what may be meant; of a look without a project that of each, where there are few."""
        first = reading.meant[0]
        if not reading.is_sure:  # nothing is guessed to be about secrets
            return tuple(one.line for one in reading.meant if one.line and not self._is_of_secrets(one.command))
        if first.line:
            return tuple(one.line for one in reading.meant if one.line and one.command == first.command)
        command, followed = self._context.router.commands[first.command], await self._followed(caller)
        if not command.only_answers or len(followed) > MOST_PROJECTS:
            return ()
        each = (reading.named._replace(project=self._typed(slug)) for slug in followed)
        return tuple(line_of(first.command, reading.left, named) for named in each)
