"""What a sentence wants a channel to hear, as a line says it, and the words of it that no line can say. Pure.

Whatever is neither said by the line nor a word that says nothing is told: what narrows is never left out in silence.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bot.grammar import Word
from bot.intents.hearing import says_no_more
from bot.intents.index import is_courtesy, normalized
from bot.intents.values import BRANCH_WORDS, FOLDERS, TAG_WORDS, Known, bare, names
from bot.models import git, patterns
from bot.models.events import Event, Mode
from bot.models.rule_line import BY, MENTION, TAG, WORKFLOW
from bot.models.spelling import MENTIONS, as_typed, parameter
from bot.settings import Projects

_BROKE = (
    *(
        "break",
        "breaks",
        "broke",
        "broken",
        "red",
        "fail",
        "fails",
        "failed",
        "failing",
        "fehlschlagt",
        "rot",
        "kaputt",
    ),
    *("bricht", "rompa", "rompe", "rota", "roto", "falle", "falla", "fallar", "roja", "rojo", "failure", "failures"),
    *("breakages", "breaking"),
)
_FIXED = (
    *("fixed", "green", "repaired", "recovers", "recovered", "grun", "repariert", "gefixt", "verde", "arregle"),
    *("arreglada", "arreglado", "healthy", "fixes"),
)
_WAITING = (
    *("wait", "waits", "waiting", "approval", "approvals", "hold", "wartet", "warten", "freigabe", "genehmigung"),
    *("espera", "espere", "esperan", "aprobacion"),
)
_DEPLOYED = (
    *("deployed", "deploys", "released", "deployt", "ausgerollt", "desplegado", "desplegada", "despliega"),
    *("despliegue", "deployment", "deployments"),
)
_EVENTS: Mapping[str, Event] = {
    **dict.fromkeys(_BROKE, Event.BROKE),
    **dict.fromkeys(_FIXED, Event.FIXED),
    **dict.fromkeys(("passes", "passed", "succeeds", "succeeded", "pasa", "pase"), Event.PASSED),
    **dict.fromkeys(_WAITING, Event.WAITING),
    **dict.fromkeys(_DEPLOYED, Event.DEPLOYED),
    **dict.fromkeys(("flaky", "flakes"), Event.FLAKY),
    **dict.fromkeys(("slow", "slower", "langsam", "lento", "lenta"), Event.SLOW),
}
# What is no longer so: *tell us when main is no longer red*.
_OVER = {Event.BROKE: Event.FIXED, Event.FIXED: Event.BROKE, Event.PASSED: Event.BROKE}
_WHEN = frozenset(("when", "whenever", "if", "once", "wenn", "sobald", "falls", "cuando", "si"))
_NO_MORE = (("no", "longer"), ("nicht", "mehr"), ("nicht", "langer"), ("ya", "no"))
_IS, _NO_STATE = frozenset(("is", "are", "does", "do", "has")), frozenset(("isnt", "arent", "doesnt", "hasnt"))
_STOPS = frozenset(("stops", "stopped", "ceases", "deja", "deje"))
_BETWEEN = frozenset(("esta", "este", "es", "se", "de", "being", "to", "be", "in", "sea", "siga"))
_ANY_MORE = frozenset(("any", "more", "anymore", "mehr", "longer", "mas"))
_OF_TAGS = {Event.BROKE: Event.FAILED, Event.FIXED: Event.PASSED}
_FAR_STATE, _NEAR_STATE = 12, 4  # words: from `when`, and from the no
_STILL = ("still", "stays", "remains", "bleibt", "sigue")
_EACH = ("each", "every", "any", "all", "jeder", "jede", "jeden", "alle", "cada", "todas", "everything")
_BUILDS = ("build", "builds", "pipeline", "pipelines")
_PUSHED_BY = ("by", "authored")
_MINE = ("my", "mine", "meine", "meiner", "mis", "myself")
_WORKFLOWS = ("workflow", "workflows")
_NOT = ("not", "no", "without", "ignore", "ignoring", "skip", "skipping", "nicht", "kein", "keine", "ohne", "sin")
_BEFORE_A_NAME = ("the", "in", "on", "from", "of", "die", "den", "la", "el", "when", "if", "it", "is")
_LISTED = ("or", "and", "oder", "und", "y", "o", "nor")
_PLURALS = (*TAG_WORDS, "tags", "versions", "versionen", "versiones", "etiquetas")
# What stands around the things that are named, and says nothing by itself.
_AROUND = frozenset(
    (
        *(
            "the",
            "a",
            "an",
            "this",
            "that",
            "these",
            "our",
            "its",
            "it",
            "is",
            "are",
            "be",
            "been",
            "was",
            "gets",
            "get",
        ),
        *(
            "goes",
            "turns",
            "becomes",
            "again",
            "of",
            "on",
            "in",
            "to",
            "for",
            "from",
            "with",
            "at",
            "about",
            "by",
            "us",
        ),
        *("me", "we", "i", "want", "need", "would", "like", "hear", "know", "let", "tell", "ping", "mention", "notify"),
        *("alert", "call", "page", "inform", "post", "send", "write", "say", "cc", "warn", "message", "subscribe"),
        *("sign", "up", "channel", "team", "my", "here", "everyone", "when", "whenever", "if", "once", "as", "soon"),
        *("time", "times", "whose", "where", "which", "but", "only", "just", "also", "then", "please", "needs", "has"),
        *("project", "projects", "repo", "repos", "git", "default", "one", "some", "something", "somebody", "someone"),
        *("keep", "posted", "should", "show", "into", "so", "can", "you", "pushed", "made", "started", "runs", "run"),
        *("job", "jobs", "out", "give", "shout", "soll", "sollen", "stehen", "der", "die", "das", "den", "dem", "des"),
        *("ein", "eine", "einen", "einem", "von", "vom", "auf", "im", "ins", "zu", "bei", "fur", "hier", "uns", "mir"),
        *("kanal", "wenn", "sobald", "jedes", "mal", "wird", "ist", "geht", "wieder", "sag", "sagt", "gib", "bescheid"),
        *(
            "melde",
            "schreib",
            "poste",
            "projekt",
            "abonniere",
            "abonnier",
            "diesem",
            "diesen",
            "el",
            "la",
            "los",
            "las",
        ),
        *("un", "una", "de", "del", "al", "en", "este", "canal", "cuando", "si", "vez", "que", "se", "ponga", "vuelva"),
        *("estar", "esta", "avisa", "escribe", "publica", "aqui", "proyecto", "suscribe", "suscribenos", "suscribir"),
        *("nur", "aber", "solo", "pero", "per", "s", "does", "nos", "avisanos", "avisar", "avisen", "avisad", "dinos"),
        *("notificanos", "notifica", "informanos", "decirnos", "benachrichtige", "benachrichtigt", "informiere"),
    )
)


class Wanted(NamedTuple):
    """Branches, tags and globs, events and options, each as it is typed; and the words that none of them says.

    Of several `projects` each has a line of its own, as one line takes one. It `has_events` also where they are the
    usual ones, which no line needs.
    """

    projects: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    unsaid: str = ""
    has_events: bool = False

    def ended(self) -> "Wanted":
        """Return what names it to have it end: not whom it mentions, and who says no to it leaves out no branch."""
        rows = (row.split() for row in self.unsaid.split(", "))
        left = (" ".join(word for word in row if _narrows(normalized(word))) for row in rows)
        named = tuple(one for one in self.more if not one.startswith(f"{MENTION}=") and one not in list(Mode))
        branches = tuple(one.removeprefix("!") for one in self.branches)
        return self._replace(branches=branches, more=named, unsaid=", ".join(filter(None, left)))

    def line(self, project: str, default_branch: str = "") -> str:
        """Return what stands behind `subscribe`."""
        branches = self.branches or ((default_branch,) if default_branch else ())
        return " ".join([project, *branches, *self.more])


def wanted(words: Sequence[Word], projects: Projects, can_be: Known) -> Wanted:
    """Return what a sentence wants told."""
    return _Reader(words, projects, can_be).read()


class _Reader:
    """Goes through the words of a sentence once; some of them are said by another before they are come to."""

    def __init__(self, words: Sequence[Word], projects: Projects, can_be: Known) -> None:
        self._raw = [_bare(word) for word in words]
        self._words = [normalized(word) for word in self._raw]
        self._names = names(["" if _is_glob(word) else word for word in self._raw], projects, can_be)
        self._waits_at = max((at for at, word in enumerate(self._words) if word in _WAITING), default=-1)
        self._owners = {name.split("/")[-2] for name in can_be.projects if "/" in name}
        self._said: set[int] = set()
        self._projects, self._branches = list[str](), list[str]()
        self._options, self._events, self._modes = list[str](), set[Event](), list[str]()

    def read(self) -> Wanted:
        for at in range(len(self._raw)):
            if at not in self._said and self._takes(at):
                self._said.add(at)
        has_events, is_of_tags = bool(self._events), bool(self._branches) and all(map(_is_tag, self._branches))
        if is_of_tags:  # none of which stays red
            self._events = {_OF_TAGS.get(event, event) for event in self._events}
        events = tuple(event for event in Event if event in self._events)
        is_usual = not is_of_tags and self._events <= {Event.BROKE, Event.FIXED} and Event.BROKE in self._events
        more = [*(() if is_usual else events), *dict.fromkeys(self._modes), *dict.fromkeys(self._options)]
        branches = tuple(dict.fromkeys(self._branches))
        return Wanted(tuple(dict.fromkeys(self._projects)), branches, tuple(more), self._unsaid(), has_events)

    def _takes(self, at: int) -> bool:
        """Say whether the line says this word."""
        if self._raw[at].startswith((*MENTIONS, "@")):
            self._options.append(f"{BY if self._is_by(at) else MENTION}={self._raw[at]}")
            return True
        return self._workflow(at) or self._name(at) or self._event(at) or self._beside(at)

    def _workflow(self, at: int) -> bool:
        """Take the name that stands before the word for a workflow, or else behind it."""
        if self._word(at) not in _WORKFLOWS:
            return False
        beside = next((one for one in (at - 1, at + 1) if self._may_be_called(one)), -1)
        if beside < 0:
            return False
        self._options.append(parameter(WORKFLOW, self._left_out(min(at, beside), self._raw[beside])))
        self._said.add(beside)
        return True

    def _may_be_called(self, at: int) -> bool:
        word = self._word(at)
        is_word = word in _AROUND or word in _LISTED or word in _NOT or word in _EACH
        return bool(self._text(at)) and not (
            is_word or word in _EVENTS or self._kind(at) or is_courtesy(self._text(at))
        )

    def _name(self, at: int) -> bool:
        kind, value = self._names[at]
        if kind == "project":
            self._projects.append(value)
        elif kind == "ref" and not self._is_by(at):
            self._branches.append(self._left_out(at, value))
        elif kind == "number":
            return False  # a build is no branch, and is told
        elif _is_glob(self._raw[at]):
            self._glob(at)
        elif self._word(at) in FOLDERS and self._is_not(at):
            self._branches.append(self._left_out(at, f"{self._raw[at]}/*"))
        elif self._is_by(at) and self._may_be_called(at):
            self._options.append(parameter(BY, self._raw[at]))
        else:
            return False
        return True

    def _glob(self, at: int) -> None:
        text = self._raw[at]
        if patterns.is_pattern(text) and text.partition("/")[0] in self._owners:
            self._projects.append(text)
        else:
            is_tag = not {self._word(at - 1), self._word(at + 1)}.isdisjoint(_PLURALS) and not text.startswith(TAG)
            name = f"{TAG}{text}" if is_tag else as_typed(text)
            self._branches.append(self._left_out(at, name))
            self._said.update(one for one in (at - 1, at + 1) if is_tag and self._word(one) in _PLURALS)

    def _event(self, at: int) -> bool:
        word = self._word(at)
        if word in ("me", *_MINE) and (self._is_by(at) or self._word(at + 1) in _BUILDS):
            self._options.append(f"{BY}=me")
            return True
        if word in ("thread", "threads"):
            self._modes.append(Mode.CHANNEL if self._left_out(at, word) != word else Mode.THREAD)
            return True
        event = _EVENTS.get(word)
        if event and (over := self._no_longer(at)):
            if event not in _OVER:
                return False
            self._said.update(over)
            self._events.add(_OVER[event])
            return True
        if event is None or self._is_not(at) or self._raw[at].startswith("#"):  # a channel
            return False
        if event is Event.DEPLOYED and at < self._waits_at and self._word(at + 1) not in _LISTED:
            return True  # what waits is a deploy
        if event is Event.BROKE and self._word(at - 1) in _STILL:
            event = Event.STILL_RED
            self._said.add(at - 1)
        elif event is Event.BROKE and word.startswith("fail") and self._is_of_each():
            event = Event.FAILED
        elif event is Event.PASSED and self._word(at + 1) == "again":
            event = Event.FIXED
        self._events.add(event)
        return True

    def _beside(self, at: int) -> bool:
        """Take what says how many are meant: `all branches`, `any tag`; and what stands beside a name."""
        word = self._word(at)
        is_named = any(self._kind(one) == "ref" or _is_glob(self._text(one)) for one in (at - 1, at + 1))
        if word in BRANCH_WORDS or word in _BUILDS:
            if word in BRANCH_WORDS and self._word(at - 1) in _EACH and not is_named:
                self._branches.append("*")
            return True
        if word in _PLURALS:
            if not is_named:
                self._branches.append(f"{TAG}*")
            return True
        return False

    def _is_of_each(self) -> bool:
        return any(self._word(at) in _EACH and self._word(at + 1) in _BUILDS for at in range(len(self._raw)))

    def _no_longer(self, at: int) -> list[int]:
        """Return where it is said that a state is over: `when it is no longer red`; empty where it is not."""
        if _WHEN.isdisjoint(self._words[max(at - _FAR_STATE, 0) : at]):
            return []
        place = at - 1
        while place > at - _NEAR_STATE and self._word(place) in _BETWEEN:
            place -= 1
        pair = (self._word(place - 1), self._word(place))
        behind = [one for one in range(at + 1, at + 3) if self._word(one) in _ANY_MORE]
        if pair in _NO_MORE:
            return [place - 1, place, *behind]
        if self._word(place) in _STOPS | _NO_STATE:
            return [place, *behind]
        return [place - 1, place, *behind] if pair[0] in _IS and pair[1] == "not" else []

    def _left_out(self, at: int, name: str) -> str:
        """Return a name with the sign that leaves it out, where a word before it does; that word is said then."""
        if not self._is_not(at):
            return name
        near = [one for one in range(max(at - 3, 0), at) if self._word(one) in _NOT]
        self._said.update(near[-1:])
        return f"!{name.removeprefix('!')}"

    def _is_not(self, at: int) -> bool:
        """Say whether a name is left out: `not main`, `without the lint workflow`, and what is listed behind it."""
        before = at - 1
        while before >= 0 and self._word(before) in _BEFORE_A_NAME:
            before -= 1
        if self._word(before) in _LISTED and self._is_left_out_at(before - 1):
            return True
        return self._word(before) in _NOT

    def _is_left_out_at(self, at: int) -> bool:
        left_out = [one for one in self._branches if one.startswith("!")]
        return any(one.removeprefix("!").startswith(self._text(at)) for one in left_out if self._text(at))

    def _is_by(self, at: int) -> bool:
        """Say whether this names whose builds are meant: behind `by`, or listed behind one who is."""
        if self._word(at - 1) in _PUSHED_BY:
            return self._word(at - 2) not in _NOT
        named = f"{BY}={self._text(at - 2)}"
        return self._word(at - 1) in _LISTED and at > 1 and any(one == named for one in self._options)

    def _word(self, at: int) -> str:
        return self._words[at] if 0 <= at < len(self._words) else ""

    def _text(self, at: int) -> str:
        return self._raw[at] if 0 <= at < len(self._raw) else ""

    def _kind(self, at: int) -> str:
        return self._names[at][0] if 0 <= at < len(self._names) else ""

    def _unsaid(self) -> str:
        """Return the words that the line does not say, from the first to the last of each row of them."""
        left = [at for at in range(len(self._raw)) if at not in self._said and not self._says_nothing(at)]
        found: list[list[int]] = []
        for at in left:
            if found and all(one not in self._said for one in range(found[-1][-1] + 1, at)):
                found[-1].append(at)
            else:
                found.append([at])
        return ", ".join(" ".join(self._raw[one[0] : one[-1] + 1]) for one in found)

    def _says_nothing(self, at: int) -> bool:
        word = self._word(at)
        is_around = all(one in _AROUND or one in _EACH or one in _LISTED for one in word.split())
        return not self._raw[at] or not word or is_around


def _narrows(word: str) -> bool:
    """Say whether a word that no line says may narrow what is to end."""
    return not (says_no_more(word) or word in _AROUND or word in _EACH or word in _LISTED)


def _is_tag(name: str) -> bool:
    return name.removeprefix("!").startswith(TAG)


def _bare(word: Word) -> str:
    """Return a word without the signs of a sentence around it; those of a glob stay."""
    return word.text.strip(".,;:?¿()\"'“”`") if "*" in word.text or word.text.startswith("!") else bare(word)


def _is_glob(text: str) -> bool:
    """Say whether a word is a glob, or leaves a branch out."""
    name = text.removeprefix("!").removeprefix(TAG)
    return ("*" in text or text.startswith("!")) and bool(name) and not git.fault(name.replace("*", "x"))
