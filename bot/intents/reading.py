"""A sentence becomes a command line as our grammar writes it, three that may be meant, or nothing. Pure.

Nobody is acted for who says not to, or who only asks.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from bot.grammar import Word, split
from bot.intents.hearing import Hearing, hearing, of_my_own
from bot.intents.index import Index, Scored, asks_politely, normalized
from bot.intents.places import place_in
from bot.intents.table import phrases
from bot.intents.telling import Clause, clauses
from bot.intents.times import end_of
from bot.intents.values import Known, Named, bare, known, names, take
from bot.intents.wanted import Wanted, wanted
from bot.links import is_link
from bot.masks import masked
from bot.models.circleci import ProjectSlug
from bot.models.help import CommandHelp
from bot.models.likeness import is_question
from bot.models.spelling import can_be_quoted, quoted
from bot.settings import Projects

# Measured: tests/intents has the figures.
SURE, AHEAD = 0.24, 0.03
MAY_BE = 0.15
NAMES = 0.04  # who names a project or a build needs less to be understood: they speak of builds

# What is named behind a command: a build or a branch, a project and a branch, a project alone, or nothing.
_BUILD, _BRANCH, _LOCK, _SNOOZE, _PROJECT, _NOTHING = "build", "branch", "lock", "snooze", "project", "nothing"
_ABOUT = {
    **dict.fromkeys(("rerun", "cancel", "approve", "status", "tests", "artifacts", "triage", "told"), _BUILD),
    **dict.fromkeys(("watch", "unwatch", "logs", "build", "job"), _BUILD),
    **dict.fromkeys(("deploy", "why-red", "flaky", "why", "may", "subscribe", "unsubscribe"), _BRANCH),
    **dict.fromkeys(("lock", "unlock"), _LOCK),
    "snooze": _SNOOZE,
    **dict.fromkeys(("env", "keys", "webhook", "cache", "ssh-key", "audit"), _PROJECT),
}
_WITH_AN_END = ("lock", _SNOOZE)
_SUBSCRIBE, _UNSUBSCRIBE = "subscribe", "unsubscribe"  # whose lines can say more than a project and a branch
_TOLD, _WATCH, _HELP = "told", "watch", "help"
_DO_NOT = frozenset(("dont", "cant", "couldnt", "wont", "wouldnt", "shouldnt"))
_FAILS = frozenset(("fail", "fails", "failed", "failing", "break", "breaks", "broke", "broken", "red", "rot", "kaputt"))
_NEED_NO_PROJECT = ("audit", "why", "may", "snooze")
_WRITTEN = {"cache": "cache clear", "ssh-key": "ssh-key add", "heroku-key": "heroku-key add"}
_ENDED = frozenset(("off", "end", "stop", "cancel", "unsnooze", "wake", "ende", "beende", "termina", "quita"))
# What has no end is not meant by who names one, and somebody may be quiet for a while or for good.
_UNWATCH = "unwatch"
_AGAINST_TELLING = (_UNSUBSCRIBE, _UNWATCH, _SNOOZE)
_QUIET = frozenset(("mute", "quiet", "silence", "hush", "shut", "silent", "still", "silencia", "silencio"))
_UNTIL = frozenset(
    ("until", "till", "til", "bis", "hasta", "for", "für", "por", "durante")
)  # and no `when` of an event
_A_WHILE = "4h"  # as the button of a red branch offers it
_NOTIFY = "notify"
_MY, _MY_BUILDS = frozenset(("my", "meine", "meiner", "mis")), frozenset(("builds", "pipelines", "pushes"))
_TO_ME = frozenset(("me", "mir", "mich", "avisame", "dime", "notificame"))
_OWN = {
    "failed": frozenset(
        ("fail", "fails", "failed", "break", "breaks", "fehlschlagen", "fallan", "fallen", "rot", "red")
    ),
    "ended": frozenset(
        ("end", "ended", "done", "finish", "finished", "pass", "passed", "fertig", "terminan", "acaban")
    ),
    "waiting": frozenset(("wait", "waiting", "approval", "approvals", "warten", "esperan", "hold")),
}
# Who says "run it again" speaks of a build, and "use" says nothing by itself; "tell me" begins most that is asked.
_NEVER_MEANT = ("again", "use", "notify")
_OF_MYSELF = ("doctor", "me", "help", "hello")  # who names a project or a build does not ask after me
_SAID_FIRST = ("rerun",)  # who begins with a word for it wants that, whatever it is done to: "retry the flaky tests"
_OF_JOBS = ("logs", "build", "job")
# What changes something for others; a lock and `unwatch` are asked for by saying no to something.
_ACTS, _SAY_NO = ("deploy", "rerun", "unlock", "lock", "cache"), ("lock",)
_CHANGES = (*_ACTS, "cancel", "approve", "subscribe", "unsubscribe", "snooze", "watch", "unwatch")
_NO = frozenset(
    (
        *("not", "dont", "no", "never", "nobody", "cant", "cannot", "wont", "nicht", "nie", "niemand", "kein", "keine"),
        *("keinen", "nunca", "nadie", "undo", "undeploy", "rollback", "revert", "back", "ruckgangig"),
        *("skip", "forget", "ignore", "avoid", "vergiss", "uberspringe", "ignorier", "ignoriere", "olvida", "omite"),
        *("ignora", "evita", "ni", "tampoco"),
    )
)
# Who stops a deploy or a rerun wants none; and who cancels one of those does not mean a build.
_STOP = frozenset(("stop", "cancel", "abort", "halt", "stopp", "stoppe", "storniere", "cancela", "aborta", "anula"))
_NO_BUILDS = frozenset(
    (
        *("lock", "locks", "freeze", "sperre", "sperren", "sperrung", "bloqueo", "candado", "congelacion", "snooze"),
        *("subscription", "subscriptions", "abo", "suscripcion", "request", "requests", "approval", "hold"),
    )
)
_ALL = frozenset(("all", "everything", "scratch", "whole", "entire", "complete", "alles", "vorne", "ganze", "todo"))
_WHOLE = frozenset(("project", "projekt", "proyecto", "repo", "repository"))
_ROLLED_BACK = frozenset(("rollback", "undeploy", "zuruckrollen"))
_BACK, _DEPLOYED = frozenset(("back", "zuruck")), ("deploy", "release", "rollout", "desplieg")
_UNDONE = frozenset(("undo", "revert", "ruckgangig", "deshaz", "deshacer", "revierte", "revertir"))
# What is meant is the contrary of what is named: `unlock everything except main`.
_EXCEPT = frozenset(
    (
        *("except", "excepting", "excluding", "unless", "ausser", "ausgenommen", "statt", "anstatt"),
        *("excepto", "salvo", "exceptuando"),
    )
)
_EXCEPT_SAID = (
    *(("apart", "from"), ("aside", "from"), ("other", "than"), ("rather", "than"), ("instead", "of")),
    *(("en", "lugar", "de"), ("en", "vez", "de")),
)
_BUT = frozenset(("but", "menos"))
_EACH = _ALL | frozenset(("every", "any", "anything", "jede", "jeden", "jedes", "todos", "toda", "todas", "cada"))
# What may be allowed, by the beginnings of the words for it; else it is a deploy.
_ALLOWED = {
    **dict.fromkeys(("rerun", "retry", "restart", "wiederhol", "relanz", "reintent"), "rerun"),
    **dict.fromkeys(("cancel", "stop", "abort", "abbrech"), "cancel"),
    **dict.fromkeys(("approv", "sign", "freigeb", "genehmig", "aprob", "aprueb"), "approve"),
    **dict.fromkeys(("unlock", "unfreez", "entsperr", "desbloq"), "unlock"),
    **dict.fromkeys(("lock", "freez", "sperr", "bloque"), "lock"),
}


class Default(NamedTuple):
    """What is meant where nothing is named: the build of a thread, or the project of a channel.

    It may be so for some commands alone, `only_for` which; for the others `otherwise`.
    """

    project: str
    ref: str = ""
    number: str = ""
    only_for: frozenset[str] = frozenset()
    otherwise: "Default | None" = None


class Meant(NamedTuple):
    """A command that may be meant, and the line that carries it out; without one where no project is named."""

    command: str
    line: str = ""


class Reading(NamedTuple):
    """What a sentence is read as: surely the first of what may be meant, or one of them, or none.

    It is made of what is `named` in it, and of the words that are `left`; `unsaid` are those that narrow what is meant
    first, and that its line does not say. What `undoes` a deploy is none of ours.
    """

    meant: tuple[Meant, ...] = ()
    named: Named = Named()
    left: str = ""
    is_sure: bool = False
    undoes: bool = False
    unsaid: str = ""


class Reader:
    """Reads sentences; its table is taken apart once."""

    def __init__(self, commands: Sequence[CommandHelp]) -> None:
        called = {word: one.name for one in commands for word in (*one.also, one.name)}
        table = {called[name]: of for name, of in phrases().items() if name in called}
        spoken = [one for one in commands if one.name not in _NEVER_MEANT]
        said = {one.name: [one.name, *one.also, *table.get(one.name, (one.summary, *one.phrases))] for one in spoken}
        self._index = Index(said)
        self._verbs = {word: name for word, name in called.items() if name in _SAID_FIRST}
        self._words = frozenset(word for of in said.values() for phrase in of for word in phrase.casefold().split())

    def known(self, projects: Projects, followed: Sequence[ProjectSlug]) -> Known:
        """Return what can be named by those who may see these projects."""
        return known(projects, followed, self._words)

    def read(self, text: str, projects: Projects, can_be: Known, default: Default | None = None) -> Reading:
        """Return what a sentence is read as; `default` is what is meant by who names no project."""
        words = split(text)
        named, left = take(words, projects, can_be)
        if not named.is_clear:
            heard = hearing(left, _clauses(words, projects, can_be))
            return self._of_several(text, words, left, heard, Reading((), named, left), wanted(words, projects, can_be))
        if _undoes(left):
            return Reading(named=named, left=left, undoes=True)
        ease = NAMES if named != Named() else 0.0
        heard, want = hearing(left, _clauses(words, projects, can_be)), wanted(words, projects, can_be)
        if own := _of_my_own(left, heard, named):
            unsaid = " ".join(filter(None, (named.project, named.ref, named.number)))
            return Reading((Meant(_NOTIFY, own),), named, left, is_sure=True, unsaid=unsaid)
        end = end_of(left)
        found = self._found(end.left, ease)
        if not end.until and not (found and found[0].name in _WITH_AN_END and _is_sure(found, ease)):
            found = self._found(left, ease)  # only these have an end, and `until when?` asks for one
        if found and found[0].name == _UNWATCH and (end.until or end.unread):
            found = self._found(end.left, ease)  # the words of an end are like those of a lock
        named = named._replace(until=end.until, unread=end.unread, starts=end.starts)
        named = named._replace(place=place_in(left))
        in_thread = default is not None and bool(default.number)
        found = _as_told(found, heard._replace(is_red=heard.is_red and not in_thread), named, want, left)
        found = _with_snooze(found, left, named, default)
        left_over = [one for one in found if not _is_against(one.name, text, words)]
        meant = tuple(Meant(one.name, line_of(one.name, left, named, default)) for one in left_over)
        is_sure = left_over[:1] == found[:1] and _is_sure(found, ease)
        reading = Reading(meant, named, end.left if end.until else left, is_sure=is_sure)
        reading = _narrowed(reading, _UNSUBSCRIBE, want.ended(), default)
        return _narrowed(reading, _SUBSCRIBE, want, default)

    def _of_several(
        self, text: str, words: Sequence[Word], left: str, heard: Hearing, reading: "Reading", want: Wanted
    ) -> "Reading":
        """Return the reading of a sentence that names several of a kind, which only what a channel hears has."""
        found = self._found(left, NAMES)
        is_ended = heard.ends and heard.is_told
        command, want = (_UNSUBSCRIBE, want.ended()) if is_ended else (_SUBSCRIBE, want)
        is_meant = is_ended or bool(left and found and found[0].name == command)
        is_meant = is_meant and not (_is_against(command, text, words) or any(map(is_link, want.projects)))
        lines = [f"{command} {want.line(project)}" for project in want.projects] if is_meant else []
        meant = tuple(Meant(command, line) for line in lines if masked(line) == line)
        is_sure = (heard.is_plain if is_ended else _is_sure(found, NAMES)) and not (heard.is_open or heard.acts)
        return reading._replace(meant=meant, is_sure=is_sure, unsaid=want.unsaid if meant else "")

    def ranked(self, text: str, projects: Projects, can_be: Known) -> list[Scored] | None:
        """Return the commands that a sentence may speak of, the likeliest first; None where it undoes a deploy."""
        named, left = take(split(text), projects, can_be)
        return None if _undoes(left) else self._found(left, NAMES if named != Named() else 0.0)

    def _found(self, left: str, ease: float) -> list[Scored]:
        verb = self._verbs.get(normalized(left).partition(" ")[0], "")
        scores = [one for one in self._index.scores(left) if not ease or one.name not in _OF_MYSELF]
        if verb and scores[:1] != [one for one in scores if one.name == verb]:
            scores = [
                Scored(verb, SURE + AHEAD + scores[0].score if scores else SURE),
                *(one for one in scores if one.name != verb),
            ]
        return [one for one in scores if one.score >= MAY_BE - ease]


@cache
def reader_of(commands: tuple[CommandHelp, ...]) -> Reader:
    """Return the reader of these commands; it is made at the first sentence, which takes a moment."""
    return Reader(commands)


def line_of(command: str, left: str, named: Named, default: Default | None = None) -> str:
    """Return the line of a command; empty text where a project is missing, or something looks like a secret."""
    if command == "recent" and (named.project or named.ref or named.number):
        return line_of("status", left, named, default)  # what is newest in all projects is not what was asked
    default = _default_of(command, default)
    about, project = _ABOUT.get(command, _NOTHING), named.project or (default.project if default else "")
    if about != _NOTHING and not project and command not in _NEED_NO_PROJECT:
        return ""
    written = f"{command} {_allowed(left)}" if command in ("may", "why") else _WRITTEN.get(command, command)
    words = set(normalized(left).split())
    if about == _LOCK and default and not words.isdisjoint(_ALL | _WHOLE):
        default = default._replace(ref="")  # "lock the project" is not its branch that is meant here
    meant = named if named.project or default is None else _with_default(named, default)
    everything = "all" if command == "rerun" and not _ALL.isdisjoint(words) else ""
    line = " ".join(filter(None, [written, *_behind(about, command, project, meant, left), everything]))
    return line if masked(line) == line else ""


def _default_of(command: str, default: Default | None) -> Default | None:
    """Return what a command means where nothing is named."""
    if default is None or not default.only_for or command in default.only_for:
        return default
    return default.otherwise


def _clauses(words: Sequence[Word], projects: Projects, can_be: Known) -> list[Clause]:
    return clauses(words, [kind for kind, _ in names([bare(word) for word in words], projects, can_be)])


def _of_my_own(left: str, heard: Hearing, named: Named) -> str:
    """Return the line by which somebody is told of their own builds, where that is said; of one of them it is no line.

    It is never meant by what else is said, as who says *tell me* asks for most things.
    """
    if own := of_my_own(left, heard, is_named=bool(named.project or named.ref)):
        return f"{_NOTIFY} me {own}"
    if heard.ends:
        return ""
    words = normalized(left).split()
    is_own = not (_MY.isdisjoint(words) or _TO_ME.isdisjoint(words) or _MY_BUILDS.isdisjoint(words))
    about = [one for one, of in _OWN.items() if not of.isdisjoint(words)]
    return f"{_NOTIFY} me {' '.join(about)}" if is_own and about else ""


def _as_told(found: list[Scored], heard: Hearing, named: Named, want: Wanted, left: str) -> list[Scored]:
    """Return what may be meant, with what is said of being told before what the letters of it are like.

    A channel is told of branches, by nobody's sentence; a build that is named by its number is followed.
    """
    is_named = bool(named.project or named.ref)
    if ((heard.is_red and not is_named) or heard.who_looks) and not named.number:
        return _before(_HELP, found)
    if heard.asks_why:
        return _as_why(found, heard, is_to_come=heard.when and want.has_events and is_named, left=left)
    if heard.acts:
        return found if found[:1] == [one for one in found if one.name == heard.acts] else _asked(heard.acts, found)
    is_build = bool(named.number) or "build" in normalized(left).split()
    return _as_to_come(found, heard, want, is_named=is_named, is_build=is_build)


def _as_to_come(found: list[Scored], heard: Hearing, want: Wanted, *, is_named: bool, is_build: bool) -> list[Scored]:
    """Return what may be meant by who says what is to be told from now on, or no more, and never the contrary first."""
    if heard.wants:
        found = [one for one in found if one.name not in _AGAINST_TELLING and not (heard.when and one.name == _TOLD)]
    if heard.is_open and heard.of_us and is_named:
        return _asked(_SUBSCRIBE, _before(_UNSUBSCRIBE, found))
    if is_build:
        return found
    if heard.ends and heard.is_told:
        return _as_no_more([one for one in found if one.name not in (_SUBSCRIBE, _WATCH)], heard, is_named=is_named)
    if heard.ends or not (want.has_events and is_named):
        return found
    if heard.is_told and heard.of_us and heard.when:
        return _before(_SUBSCRIBE, found)
    if found and found[0].name == _WATCH:  # of one build, or of each to come: to follow it is carried out at once
        return _asked(_WATCH, _before(_SUBSCRIBE, found))
    return found


def _as_no_more(found: list[Scored], heard: Hearing, *, is_named: bool) -> list[Scored]:
    if not is_named or (heard.of_me and not heard.of_us):
        return found
    is_first = found[:1] == [one for one in found if one.name == _UNSUBSCRIBE]
    return _before(_UNSUBSCRIBE, found, is_sure=heard.is_plain or (is_first and not heard.of_us))


def _as_why(found: list[Scored], heard: Hearing, *, is_to_come: bool, left: str) -> list[Scored]:
    """Return what may be meant by who asks why: what was told, or an idea of what is to be, or why a job is red."""
    if not (heard.is_told and heard.of_us):
        return found
    words = normalized(left).split()
    if is_to_come and not _DO_NOT.isdisjoint(words[1:2]):  # why don't you tell us when
        return _asked(_SUBSCRIBE, _before(_TOLD, found))
    return _before(_TOLD, found) if heard.is_act or _FAILS.isdisjoint(words) else _asked(_TOLD, found)


def _asked(command: str, found: Sequence[Scored]) -> list[Scored]:
    return _before(command, found, is_sure=False)


def _before(command: str, found: Sequence[Scored], *, is_sure: bool = True) -> list[Scored]:
    """Return what may be meant with a command before it, surely or as likely as what was first."""
    others = [one for one in found if one.name != command]
    if not is_sure:
        return [Scored(command, others[0].score if others else MAY_BE), *others]
    return [Scored(command, max([SURE, *(one.score for one in others)]) + 2 * AHEAD), *others]


def _with_snooze(found: list[Scored], left: str, named: Named, default: Default | None) -> list[Scored]:
    """Return what may be meant, where somebody wants quiet: with an end a snooze, and without one that too.

    Of a build that is named by its number it is the build.
    """
    if not found or found[0].name not in (_UNWATCH, _UNSUBSCRIBE) or named.number:
        return found
    snooze = found[0]._replace(name=_SNOOZE)
    others = [one for one in found if one.name not in (_SNOOZE, found[0].name)]
    if found[0].name == _UNSUBSCRIBE and not named.until and named.unread.partition(" ")[0].casefold() not in _UNTIL:
        return found
    if named.until or named.unread:
        return [snooze, *others]
    words, ref = normalized(left).split(), named.ref or (default.ref if default else "")
    is_open = bool(ref) and "build" not in words and not _QUIET.isdisjoint(words)
    return [found[0], snooze, *others] if is_open else found


def _until(left: str, named: Named) -> str:
    """Return until when something is snoozed, as far as it is said: nobody wants quiet for ever."""
    if named.until or named.unread:
        return named.until or named.starts or named.unread
    return "off" if not _ENDED.isdisjoint(normalized(left).split()) else _A_WHILE


def _narrowed(reading: Reading, command: str, want: Wanted, default: Default | None) -> Reading:
    """Return a reading whose line of what a channel hears, or is to hear no more, has all that a line can say of it."""
    if not any(one.command == command for one in reading.meant):
        return reading
    named, default = reading.named, _default_of(command, default)
    projects = want.projects or ((default.project,) if default else ())
    ref = default.ref if default and not (want.projects or named.number) else ""
    lines = [f"{command} {want.line(project, ref)}" for project in projects if not is_link(project)]
    meant = list[Meant]()
    for one in reading.meant:
        of_it = [Meant(command, line) for line in lines if masked(line) == line]
        meant += of_it if one.command == command and of_it else [one]
    is_first = reading.meant[0].command == command
    return reading._replace(meant=tuple(meant), unsaid=want.unsaid if is_first else reading.unsaid)


def _is_sure(found: Sequence[Scored], ease: float) -> bool:
    if not found:
        return False
    ahead = found[0].score - (found[1].score if len(found) > 1 else 0.0)
    return found[0].score >= SURE - ease and ahead >= AHEAD


def _is_against(command: str, text: str, words: Sequence[Word]) -> bool:
    """Say whether somebody who says no, or only asks, would be acted for."""
    said = set(normalized(text).split())
    if command in _CHANGES and _is_the_contrary(text):
        return True
    if command == "cancel" and not _NO_BUILDS.isdisjoint(said):
        return True
    if command not in _ACTS:
        return False
    if command in ("deploy", "rerun", "unlock") and not _STOP.isdisjoint(said):
        return command != "unlock" or _NO_BUILDS.isdisjoint(said)
    only_asks = is_question(word.text for word in words) and not asks_politely(text)
    says_no = command not in _SAY_NO and not _NO.isdisjoint(said)
    return only_asks or says_no


def _is_the_contrary(text: str) -> bool:
    """Say whether all else is meant than what is named."""
    words = normalized(text).split()
    said = any(tuple(words[at : at + len(one)]) == one for one in _EXCEPT_SAID for at in range(len(words)))
    is_but = "bis auf" in " ".join(words) or not _BUT.isdisjoint(words)
    is_but = is_but and not _EACH.isdisjoint(words)
    return said or is_but or not _EXCEPT.isdisjoint(words)


def _undoes(left: str) -> bool:
    """Say whether a deploy is to be taken back."""
    words = set(normalized(left).split())
    is_back = "roll" in words and not _BACK.isdisjoint(words)
    of_deploy = len(words) == 1 or any(word.startswith(_DEPLOYED) for word in words)
    return is_back or not _ROLLED_BACK.isdisjoint(words) or (of_deploy and not _UNDONE.isdisjoint(words))


def _allowed(left: str) -> str:
    """Return the act that somebody asks whether they may do."""
    words = normalized(left).split()
    return next((act for word in words for begin, act in _ALLOWED.items() if word.startswith(begin)), "deploy")


def _behind(about: str, command: str, project: str, named: Named, left: str) -> Sequence[str]:
    """Return what stands behind a command: a build has a number, which is more than its branch."""
    if about == _NOTHING or not (project or about == _SNOOZE):
        return ()
    if about == _PROJECT or is_link(project):
        return (project,)
    if about == _LOCK:
        more = named.until or (quoted(named.unread) if named.unread and can_be_quoted(named.unread) else "")
        return f"{project}:{named.ref}" if named.ref else project, more if command == "lock" else ""
    if about == _SNOOZE:
        return project, named.ref, _until(left, named)
    number = _number(command, named.number)
    return project, (named.ref or number) if about == _BRANCH else (number or named.ref)


def _with_default(named: Named, default: Default) -> Named:
    """Return what is named of the default project; who names more of it gets nothing more of the default."""
    if named.ref or named.number:
        return named
    return named._replace(ref=default.ref, number=default.number)


def _number(command: str, number: str) -> str:
    """Return a number as a command has it: people who speak of a build mean a pipeline, but where only jobs have it."""
    if not number or number.startswith("#"):
        return number
    is_job = number.startswith("job ") or command in _OF_JOBS
    return number.removeprefix("job ") if is_job else f"#{number}"
