"""Whether a sentence asks to be told of something, says no to that, or leaves it open; clause by clause. Pure.

A no is one to telling where it stands before the verb in its own clause: what stands behind *when* says how a branch is
to stand, *do not forget to tell us* asks for news, and *the report job* is the name of a job.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from bot.grammar import Word
from bot.intents.index import normalized

# The beginnings of the words for telling, and for what is told.
_TELLING = (
    *("tell", "told", "notif", "post", "messag", "news", "report", "hear", "alert", "ping", "inform", "spam"),
    *("updates", "bother", "disturb", "sag", "meld", "schreib", "bericht", "hor", "benachrichtig", "nachricht"),
    *("gemeldet", "erfahren", "bescheid", "storen", "mitteil"),
    *("avis", "dinos", "dime", "digas", "escrib", "publica", "publiq", "saber", "mensaj", "molest"),
)
_NO_TELLING = (
    *("postgres", "postpone", "hora", "heart", "notifier", "reporter", "messenger", "alertmanager"),
    *("pingdom", "information"),
)
# Of these the word alone tells of what is told, and no act; behind an article so does each other one.
_TOLD_OF = (
    *("notification", "news", "reports", "alerts", "messages", "updates", "pings", "posts", "nachricht", "meldung"),
    *("benachrichtigung", "mensaj", "avisos", "informes"),
)
_ARTICLES = frozenset(
    (
        *("the", "a", "an", "our", "my", "your", "this", "that", "these", "those", "of", "der", "die", "das", "den"),
        *("des", "unser", "unsere", "unseren", "diese", "el", "la", "los", "las", "un", "una", "nuestro", "nuestros"),
    )
)
# The word behind the name of a job: *the report job*.
_JOBS = (
    *("job", "jobs", "workflow", "workflows", "pipeline", "test", "tests", "step", "stage", "deploy", "suite"),
    "check",
)
_JOBS_ALONE = frozenset((*_JOBS, "checks", "steps", "service", "server", "script", "task", "spec", "specs", "hook"))
_OF_JOBS = frozenset(("failure", "failures", "result", "results", "news", "status", "errors"))  # *post test results*
_OF = frozenset(("de", "del", "of", "for", "fur", "named", "called", "namens"))
_GOES = frozenset(("fail", "fails", "failed", "failing", "break", "breaks", "broke", "broken", "red", "flaky", "slow"))
_TOLD = frozenset(("told", "informed", "notified", "alerted", "pinged", "posted", "gemeldet", "informiert"))
# Who did not hear of something asks for no less of it; who does not want to hear does.
_HEARD = frozenset((*_TOLD, "hear", "heard", "erfahren", "saber"))
_WANT = frozenset(
    (
        "want",
        "need",
        "wish",
        "like",
        "rather",
        "prefer",
        "care",
        "wollen",
        "will",
        "mochten",
        "brauchen",
        "queremos",
        "quiero",
        "quieren",
    )
)
_PERSONS = frozenset(("us", "me", "here", "uns", "mir", "mich", "hier", "nos", "aqui"))
NO = frozenset(
    (
        *("no", "not", "dont", "never", "didnt", "shouldnt", "neednt", "wont", "cant", "nie", "niemals", "nunca"),
        *("kein", "keine", "keinen", "nicht"),
    )
)
_STOP = frozenset(("stop", "quit", "cancel", "disable", "mute", "cease", "dejar", "stopping", "stopped"))
_WITHOUT = frozenset(("without", "ohne", "sin"))  # says no to telling of this alone
NO_MORE = frozenset(
    (
        *("unsubscribe", "anymore", "tired", "enough", "basta", "abbestellen", "aufhoren", "abmelden", "desuscribe"),
        *("unsubscribing", "genug"),
    )
)
NO_MORE_SAID = (
    *(("any", "more"), ("no", "more"), ("no", "longer"), ("turn", "off"), ("switch", "off"), ("sick", "of")),
    *(("too", "many"), ("nichts", "mehr"), ("nicht", "mehr"), ("nicht", "langer")),
    *(("hor", "auf"), ("hore", "auf"), ("hort", "auf")),
    *(("ya", "no"), ("deja", "de"), ("dejad", "de"), ("dejen", "de"), ("da", "baja"), ("de", "baja")),
)
_NO_LONGER = (("any", "more"), ("no", "longer"), ("nicht", "mehr"), ("nicht", "langer"), ("ya", "no"))
NO_AND_MORE = (("keine", "mehr"), ("kein", "mehr"), ("keinen", "mehr"), ("no", "mas"), ("nada", "mas"))
_WITH_A_NO = frozenset(("any", "anymore"))  # *any more news* asks for some
_BEHIND = frozenset(("nothing", "nichts", "nicht", "nie", "nada"))  # sag uns nichts
# Between a no and the telling that it is said to.
_BETWEEN = frozenset(
    (
        *("to", "you", "us", "me", "be", "want", "need", "wish", "like", "care", "ever", "again", "any", "all", "let"),
        *("being", "keep", "send", "sending", "direct", "of", "with", "from", "have", "getting", "get", "private"),
        *("nos", "me", "te", "le", "les", "queremos", "quiero", "que", "uns", "mir", "mich", "mehr", "more", "zu"),
        *("this", "channel", "team", "bot", "build", "other", "such", "wollen", "longer", "about", "bescheid"),
    )
)
# Who says no to one of these asks for it: *do not forget to tell us*, *not only*.
_FORGET = (
    *("forget", "hesitate", "fail", "neglect", "omit", "miss", "delay", "only", "merely", "solely", "wait", "shy"),
    *("afraid", "stop", "just", "nur", "bloss", "vergiss", "vergesst", "vergess", "zoger", "versaum", "olvid", "dud"),
    *("dej", "solo", "solamente"),
)
_WHEN = frozenset(("when", "whenever", "if", "once", "wenn", "sobald", "falls", "cuando", "si", "that", "dass"))
_JOINS = frozenset(
    ("and", "then", "but", "or", "und", "dann", "aber", "oder", "sondern", "y", "o", "pero", "luego", "sino", "so")
)
_ENDS_OF_A_CLAUSE = (",", ".", ";", ":", "!", "?", "–", "—", "-")
_ABOUT = frozenset(("about", "uber", "sobre", "wegen", "acerca"))
NAME = "…"  # what stands for a name
FAR = 6  # words between a no and what it is said to


class Clause(NamedTuple):
    """The words of a clause without signs, and from which on to which they stand behind *when*."""

    words: tuple[str, ...]
    state: range

    def telling(self) -> list[int]:
        """Return where a word for telling stands, which is no name of a job."""
        return [at for at in range(len(self.words)) if self._is_telling(at)]

    def _is_telling(self, at: int) -> bool:
        word, before, after = self.word(at), self.word(at - 1), self.word(at + 1)
        if word in ("know", "wissen"):
            return not {"let", "lets", "lass", "lasst"}.isdisjoint(self.words[max(at - 3, 0) : at])
        is_ceasing = word in ("hor", "hore", "hort") and "auf" in self.words[at + 1 : at + 3]
        if not is_telling(word) or is_ceasing or after in _GOES:
            return False
        if after in _JOBS_ALONE and self.word(at + 2) not in _OF_JOBS:
            return False
        is_called = before in ("job", "workflow") and after not in _PERSONS and not word.startswith("notifications")
        return not (is_called or (before in _OF and self.word(at - 2) in _JOBS_ALONE))

    def is_act(self, at: int) -> bool:
        """Say whether a word for telling is a verb, as far as it can be told."""
        return not (self.word(at).startswith(_TOLD_OF) or self.word(at - 1) in _ARTICLES)

    def word(self, at: int) -> str:
        """Return a word; empty text where none stands."""
        return self.words[at] if 0 <= at < len(self.words) else ""


class Asked(NamedTuple):
    """What a sentence says of telling.

    `wants` it, or `ends` it, which `is_plain` where a verb is told no; it is `open` where a no stands before it of
    which nobody knows what it is said to. `is_act` says that a verb tells of it, and not a noun alone.
    """

    is_told: bool = False
    wants: bool = False
    ends: bool = False
    is_plain: bool = False
    is_open: bool = False
    is_act: bool = False


def clauses(words: Sequence[Word], kinds: Sequence[str]) -> list[Clause]:
    """Return the clauses of a sentence; each word of which a kind is known is a name."""
    rows: list[list[str]] = [[]]
    is_inside = False  # behind a word for when, of which more may follow: `breaks or is slow`
    found = list[Clause]()
    plain = [NAME if kind else _plain(word) for word, kind in zip(words, kinds, strict=True)]
    for at, (word, text) in enumerate(zip(words, plain, strict=True)):
        after = plain[at + 1] if at + 1 < len(plain) else ""
        is_join = text in _JOINS and not (is_telling(after) and rows[-1][-1:] and is_telling(rows[-1][-1]))
        if is_join:
            rows.append([])
        elif text:
            rows[-1].append(text)
        if not is_join and word.text.endswith(_ENDS_OF_A_CLAUSE) and not _goes_on(rows[-1]):
            rows.append([])
    for row in filter(None, rows):
        clause = _clause(row, is_inside=is_inside)
        is_inside = bool(clause.state) and clause.state.stop == len(row)
        found.append(clause)
    return found


def asked(found: Sequence[Clause]) -> Asked:
    """Return what the clauses of a sentence say of telling; what is said first goes before what contradicts it."""
    said = [one for clause in found for one in _said(clause)]
    first = next((one for one in said if one.wants or one.ends or one.is_open), Asked())
    return first._replace(
        is_told=any(one.is_told for one in said),
        is_act=any(one.is_act for one in said),
        is_plain=first.is_plain and not any(one.wants for one in said),
    )


def is_telling(word: str) -> bool:
    """Say whether a word alone is one for telling, or for what is told."""
    is_name = "-" in word or (word.endswith(_JOBS) and len(word) > len("jobs"))
    return word.startswith(_TELLING) and not (is_name or word.startswith(_NO_TELLING))


def has(words: Sequence[str], said: Sequence[tuple[str, ...]]) -> bool:
    """Say whether one of the pairs stands somewhere."""
    pairs = set(pairwise(words))
    return any(one in pairs for one in said)


def _plain(word: Word) -> str:
    text = word.text.strip(".,;:!?¿¡()\"'“”„`*").casefold()
    return "only" if text == "just" else normalized(text).replace(" ", "-")


def _goes_on(row: Sequence[str]) -> bool:
    """Say whether a clause goes on behind its comma: *hör auf, uns zu schreiben*."""
    return row[-1:] == ["auf"] or row[-2:] == ["nicht", "auf"]


def _clause(row: Sequence[str], *, is_inside: bool) -> Clause:
    """Return the clause of a row of words: a state begins behind a word for when, and ends before a verb of telling."""
    words = tuple(row)
    tells = [at for at, word in enumerate(words) if is_telling(word) or word == "know"]
    if is_inside and not tells:
        return Clause(words, range(len(words)))
    whens = (at for at, word in enumerate(words) if word in _WHEN and (at == 0 or (tells and tells[0] < at)))
    start = next(whens, len(words))
    stop = next((at for at in tells if at > start), len(words)) if start == 0 else len(words)
    return Clause(words, range(start, stop))


def _said(clause: Clause) -> Iterator[Asked]:
    """Yield what is said at each word for telling of a clause."""
    out = [word for at, word in enumerate(clause.words) if at not in clause.state]
    is_over, wants = _is_no_more(out), not _WANT.isdisjoint(out)
    is_state = "anymore" in out or has(out, _NO_LONGER)  # we no longer run the reports
    for at in clause.telling():
        word, is_act = clause.word(at), clause.is_act(at)
        # Somebody tells of what was, or was not.
        is_heard = word in _HEARD and not wants and clause.word(at - 1) != "be"
        told = Asked(is_told=True, is_act=is_act)
        if at in clause.state or is_heard:
            yield told._replace(is_open=is_heard and is_over)
        elif is_over:
            yield told._replace(ends=True, is_plain=is_act or _is_about(clause, at) or not is_state)
        else:
            yield _by_a_no(clause, at, told)


def _by_a_no(clause: Clause, at: int, told: Asked) -> Asked:
    """Return what is said by the words before a word for telling, of which two that say no are none."""
    no, place = False, at - 1
    first = max(at - FAR, 0)
    while place >= first:
        word = clause.word(place)
        if word in NO:
            no = not no if clause.word(place - 1) != "why" else no
        elif word in _STOP:
            no = not no if _may_be_stopped(clause.word(place + 1), clause, at) else no
        elif not (word in _BETWEEN or is_telling(word) or (word in _ARTICLES and not told.is_act)):
            break
        place -= 1
    before = [clause.word(one) for one in range(first, place + 1) if one not in clause.state]
    is_not = not (NO | _WITHOUT).isdisjoint(before)
    behind = {clause.word(one) for one in range(at + 1, at + 4) if one not in clause.state}
    if not _BEHIND.isdisjoint(behind) and not any(word.startswith(_FORGET) for word in behind):
        no = not no
    if no:
        return told._replace(ends=True, is_plain=(told.is_act or _is_about(clause, at)) and not is_not)
    is_open = told.is_act and is_not and not any(word.startswith(_FORGET) for word in before)
    return told._replace(wants=told.is_act and not is_open, is_open=is_open)


def _is_about(clause: Clause, at: int) -> bool:
    return not _ABOUT.isdisjoint((clause.word(at + 1), clause.word(at + 2)))


def _may_be_stopped(behind: str, clause: Clause, at: int) -> bool:
    """Say whether *stop* is said to telling: `stop telling`, but not `stop it, tell us`."""
    word = clause.word(at)
    is_bare = clause.is_act(at) and not word.endswith(("ing", "os", "er", "ar", "ir", "spam"))
    return behind != NAME and not is_bare


def _is_no_more(words: Sequence[str]) -> bool:
    """Say whether words that say no wherever they stand are among those outside of a state."""
    is_no = not NO.isdisjoint(words)
    in_two = any(one in words and other in words[words.index(one) :] for one, other in NO_AND_MORE)
    alone = {one for one, after in pairwise([*words, ""]) if one != "enough" or after != "to"}
    said = [one for one in NO_MORE_SAID if is_no or one[0] not in _WITH_A_NO]
    is_meant = any(one in NO_MORE and (is_no or one not in _WITH_A_NO) for one in alone)
    return in_two or is_meant or has(words, said)
