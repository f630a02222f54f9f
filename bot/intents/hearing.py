"""What a sentence says of being told: who is to be told, from now on or no more, why they were, or what is red. Pure.

Letters alone do not tell *tell us when it fails* from *stop telling us when it fails*; who is to be told, and which
word says no to it, does.
"""

import re
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from bot.intents.index import normalized
from bot.intents.telling import (
    NAME,
    NO,
    NO_AND_MORE,
    NO_MORE,
    NO_MORE_SAID,
    Clause,
    asked,
    has,
    is_telling,
)

_US = frozenset(
    (
        *("us", "we", "channel", "team", "everyone", "everybody", "nobody", "here", "our", "dinos", "avisanos", "nos"),
        *("uns", "wir", "hier", "kanal", "niemand", "canal", "aqui", "queremos", "nuestro", "nadie"),
        *(
            "avisarnos",
            "decirnos",
            "notificarnos",
            "notificanos",
            "informanos",
            "contarnos",
            "molestarnos",
            "mandarnos",
        ),
    )
)
_ME = frozenset(
    ("me", "my", "i", "mir", "mich", "ich", "meine", "meiner", "avisame", "dime", "notificame", "mis", "mi")
)
_OURS = frozenset(("our", "nuestro"))  # is of a team, and not to it
_WHEN = frozenset(("when", "whenever", "if", "once", "time", "wenn", "sobald", "falls", "mal", "cuando", "si", "vez"))
_WHY = frozenset(("why", "warum", "wieso", "weshalb"))
_WHY_SAID = (("how", "come"), ("por", "que"))
_BESIDE = frozenset(
    (
        *("am", "do", "uber", "zu", "ever", "again", "jetzt", "now", "nada", "sobre", "remove", "delete", "end"),
        *("cancel", "stop", "quit", "disable", "mute", "dejar", "want", "need", "wish", "like", "care", "wollen"),
        *("will", "mochten", "brauchen", "queremos", "quiero"),
        *("abo", "abos", "abonnement", "beende", "kundige", "losche", "subscription", "subscriptions"),
        *("quita", "anula", "cancela", "suscripcion", "suscripciones"),
    )
)
_SAY_NO_MORE = frozenset((*_US, *_ME, *NO, *NO_MORE, *_BESIDE, *chain.from_iterable((*NO_MORE_SAID, *NO_AND_MORE))))
_RED = frozenset(
    (
        *("red", "broken", "failing", "rot", "kaputt", "rote", "kaputte"),
        *("rojo", "roja", "rojos", "rojas", "roto", "rota", "rotos", "rotas"),
    )
)
_ASKS = frozenset(
    (
        *("what", "whats", "which", "anything", "something", "any", "are", "show", "list"),
        *("was", "welche", "welcher", "etwas", "irgendwas", "irgendetwas", "que", "cuales", "algo", "hay"),
    )
)
_AROUND_RED = frozenset(
    (
        *("is", "are", "right", "now", "currently", "still", "branch", "branches", "builds", "here", "at", "the"),
        *("moment", "in", "this", "channel", "for", "us", "our", "of", "all", "me", "everything", "there", "today"),
        *("tell", "sag", "zeig", "mir", "dime"),
        *("ist", "sind", "gerade", "hier", "im", "zurzeit", "momentan", "aktuell", "jetzt", "noch", "diesem", "kanal"),
        *("bei", "uns", "alles", "esta", "estan", "ahora", "aqui", "ramas", "rama", "en", "este", "canal", "de"),
        *("momento", "mismo", "todavia"),
    )
)
_WHO, _LOOKING = frozenset(("who", "whos", "wer", "quien")), ("look", "schau", "kummert", "mira")
_OF_APPROVAL = ("approv", "freigab", "freigeb", "freizugeb", "genehmig", "zustimm", "aprob", "aprueb")
_DIRECT = frozenset(("dm", "dms"))
_DIRECT_SAID = (("direct", "message"), ("direct", "messages"), ("mensajes", "directos"), ("private", "messages"))
_DIRECT_GERMAN = ("direktnachricht", "privatnachricht")
_MY_BUILDS = frozenset(("builds", "pipelines", "pushes"))
_MINE = frozenset(("my", "meine", "meiner", "mis"))
_OF_MINE = frozenset(("my", "i", "ich", "meine", "meiner", "mi", "mis", "tengo", "debo"))
_MAY = frozenset(("may", "can", "allowed", "could", "darf", "kann", "puedo"))
# Hours in which somebody wants quiet: two times with what stands between them.
_HOURS = re.compile(
    r"\b([0-9]{1,2}(?:[:.][0-9]{2})?(?:am|pm)?)(?: uhr)?"
    r"(?: ?[-–—] ?| (?:and|to|until|till|und|bis|y|a|hasta)(?: las)? )"
    r"([0-9]{1,2}(?:[:.][0-9]{2})?(?:am|pm)?)\b"
)
_LONGEST = 300  # letters in which hours are looked for
# Who begins with an act wants that first, whatever is to be told of it.
_ACTS = {
    **dict.fromkeys(("cancel", "abort", "stop", "kill", "brich", "stoppe", "cancela", "aborta"), "cancel"),
    **dict.fromkeys(("lock", "freeze", "sperr", "sperre", "bloquea"), "lock"),
    **dict.fromkeys(("unlock", "unfreeze", "entsperr", "entsperre", "desbloquea"), "unlock"),
    **dict.fromkeys(("deploy", "ship", "deploye", "despliega"), "deploy"),
    **dict.fromkeys(("rerun", "retry"), "rerun"),
    **dict.fromkeys(("approve",), "approve"),
}
_DONE = ("approved", "freigegeben", "genehmigt", "aprobad")
_TO_DO = frozenset(("be", "need", "needs", "must", "wait", "waits", "waiting", "to", "werden", "muss", "wartet", "ser"))


class Hearing(NamedTuple):
    """What is said of being told; each is true as far as the words say so.

    `of_us` a channel is told, `of_me` who speaks; `is_told` says that it is about telling at all, `wants` that there is
    to be some, `ends` that there is to be no more of it, which `is_plain` or else may be so, `is_open` that nobody can
    tell which of the two. `when` says that it is about what is to come, `asks_why` why it was, for which `is_act` is
    said of a verb. `is_red` asks what is red, and `who_looks` who looks at what is. `acts` is the command for an act
    that the sentence begins with, before another clause of it speaks of telling.
    """

    is_told: bool = False
    of_us: bool = False
    of_me: bool = False
    wants: bool = False
    ends: bool = False
    is_plain: bool = False
    is_open: bool = False
    when: bool = False
    asks_why: bool = False
    is_act: bool = False
    is_red: bool = False
    who_looks: bool = False
    acts: str = ""


def hearing(left: str, clauses: Sequence[Clause]) -> Hearing:
    """Return what a sentence says of being told: its words, of which what it names was taken out, and its clauses."""
    words = normalized(left).split()
    said, told = set(words), asked(clauses)
    is_asked = not _WHY.isdisjoint(words[:2]) or any(tuple(words[:2]) == one for one in _WHY_SAID)
    is_idea = words[1:2] == ["not"] and told.wants  # why not tell us
    return Hearing(
        is_told=told.is_told,
        of_us=not _US.isdisjoint(said),
        of_me=not _ME.isdisjoint(said),
        wants=told.wants,
        ends=told.ends,
        is_plain=told.is_plain and not _US.isdisjoint(said - _OURS) and not _HOURS.search(left[:_LONGEST].casefold()),
        is_open=told.is_open,
        when=not _WHEN.isdisjoint(said),
        asks_why=is_asked and not is_idea,
        is_act=told.is_act,
        is_red=not (_RED.isdisjoint(said) or _ASKS.isdisjoint(said)) and said <= _RED | _ASKS | _AROUND_RED,
        who_looks=not _WHO.isdisjoint(words[:1]) and _begins(words[1:4], _LOOKING),
        acts=_act(clauses),
    )


def of_my_own(left: str, found: Hearing, *, is_named: bool) -> str:
    """Return what stands behind `notify me` for who is to be told of what waits for them, or of nothing; or hours.

    The hours are those of all projects, and not of one that is named.
    """
    words = normalized(left).split()
    said = set(words)
    is_direct = not _DIRECT.isdisjoint(said) or has(words, _DIRECT_SAID) or _begins(words, _DIRECT_GERMAN)
    is_mine = not (_MINE.isdisjoint(said) or _MY_BUILDS.isdisjoint(said))
    hours = _HOURS.search(left[:_LONGEST].casefold())
    is_ours = not (said & _US).issubset(("here", "hier", "aqui"))
    if hours and not is_named and found.is_told and not found.acts and not is_ours and (found.ends or "quiet" in said):
        return f"quiet {hours[1]}-{hours[2]}"
    if found.ends and found.of_me and not is_ours and (is_direct or is_mine):
        return "nothing"
    waits = found.is_told or is_direct or "let" in said or not said.isdisjoint(("lass", "gib"))
    if found.ends or is_ours or not (waits and found.when and found.of_me and _begins(words, _OF_APPROVAL)):
        return ""
    is_done = _begins(words, _DONE) and said.isdisjoint(_TO_DO)
    is_to_approve = not is_done and said.isdisjoint(_MAY | _MY_BUILDS) and not said.isdisjoint(_OF_MINE)
    return "waiting" if is_to_approve else ""


def says_no_more(word: str) -> bool:
    """Say whether a word of somebody who wants to be told no more says nothing but that."""
    return word in _SAY_NO_MORE or is_telling(word)


def _act(clauses: Sequence[Clause]) -> str:
    """Return the command for what the first clause asks, of which it names something, where it is not of telling.

    A later one is, or a job is called after it: then no word may be taken for what it is like.
    """
    words = clauses[0].words if clauses else ()
    is_later = any(one.telling() for one in clauses[1:])
    if not words or clauses[0].telling() or not (is_later or any(map(is_telling, words))):
        return ""
    return _ACTS.get(words[0], "") if NAME in words or len(words) > 1 else ""


def _begins(words: Sequence[str], beginnings: tuple[str, ...]) -> bool:
    return any(word.startswith(beginnings) for word in words)
