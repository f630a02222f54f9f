"""What a sentence says of being told: who is to be told, from now on or no more, why they were, or what is red. Pure.

Letters alone do not tell *tell us when it fails* from *stop telling us when it fails*; who is to be told, and which
word says no to it, does.
"""

import re
from collections.abc import Sequence
from itertools import chain, pairwise
from typing import NamedTuple

from bot.intents.index import normalized

# The beginnings of the words for telling, and for what is told.
_TELLING = (
    *("tell", "told", "notif", "post", "messag", "news", "report", "hear", "alert", "ping", "inform", "spam"),
    *("updates", "bother", "disturb", "sag", "meld", "schreib", "bericht", "hor", "benachrichtig", "nachricht"),
    *("gemeldet", "erfahren", "bescheid", "storen", "mitteil"),
    *("avis", "dinos", "dime", "digas", "escrib", "publica", "publiq", "saber", "mensaj", "molest"),
)
_NO_TELLING = frozenset(("postgres", "postpone", "hora", "horas", "heart"))
_NO_TOLD = frozenset(("told", "informed", "notified", "alerted", "pinged", "posted", "gemeldet", "informiert"))
# Who did not hear of something asks for no less of it; who does not want to hear does.
_HEAR, _WANT = (
    frozenset(("hear", "heard", "erfahren", "saber")),
    frozenset(("want", "need", "wish", "like", "care", "wollen", "will", "mochten", "brauchen", "queremos", "quiero")),
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
_WHEN = frozenset(("when", "whenever", "if", "once", "time", "wenn", "sobald", "falls", "mal", "cuando", "si", "vez"))
_WHY = frozenset(("why", "warum", "wieso", "weshalb"))
_WHY_SAID = (("how", "come"), ("por", "que"))
_AND = frozenset(("and", "then", "und", "dann", "y"))
_NO = frozenset(
    (
        "no",
        "not",
        "dont",
        "never",
        "stop",
        "quit",
        "cancel",
        "disable",
        "mute",
        "nie",
        "kein",
        "keine",
        "keinen",
        "nunca",
        "dejar",
    )
)
_NO_MORE = frozenset(
    (
        *("unsubscribe", "anymore", "tired", "enough", "basta", "abbestellen", "aufhoren", "abmelden", "desuscribe"),
        *("unsubscribing", "genug"),
    )
)
_NO_MORE_SAID = (
    *(
        ("any", "more"),
        ("no", "more"),
        ("no", "longer"),
        ("turn", "off"),
        ("switch", "off"),
        ("sick", "of"),
        ("too", "many"),
    ),
    *(("nichts", "mehr"), ("nicht", "mehr"), ("nicht", "langer"), ("hor", "auf"), ("hore", "auf"), ("hort", "auf")),
    *(("ya", "no"), ("deja", "de"), ("dejad", "de"), ("dejen", "de"), ("da", "baja"), ("de", "baja")),
)
_NO_AND_MORE = (("keine", "mehr"), ("kein", "mehr"), ("keinen", "mehr"), ("no", "mas"), ("nada", "mas"))
_BESIDE = frozenset(
    (
        *("am", "do", "uber", "zu", "ever", "again", "jetzt", "now", "nada", "sobre", "remove", "delete", "end"),
        *("cancel", "abo", "abos", "abonnement", "beende", "kundige", "losche", "subscription", "subscriptions"),
        *("quita", "anula", "cancela", "suscripcion", "suscripciones"),
    )
)
_SAY_NO_MORE = frozenset(
    (*_US, *_ME, *_NO, *_NO_MORE, *_WANT, *_BESIDE, *chain.from_iterable((*_NO_MORE_SAID, *_NO_AND_MORE)))
)
FAR = 4  # words between a no and what it is said to
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


class Hearing(NamedTuple):
    """What is said of being told; each is true as far as the words say so.

    `of_us` a channel is told, `of_me` who speaks; `is_told` says that it is about telling at all, `ends` that there is
    to be no more of it, `when` that it is about what is to come, `asks_why` why it was. `is_red` asks what is red, and
    `who_looks` who looks at what is.
    """

    is_told: bool = False
    of_us: bool = False
    of_me: bool = False
    ends: bool = False
    when: bool = False
    asks_why: bool = False
    is_red: bool = False
    who_looks: bool = False


def hearing(left: str) -> Hearing:
    """Return what the words of a sentence say of being told, of which what it names was taken out."""
    words = normalized(left).split()
    said = set(words)
    return Hearing(
        is_told=any(map(_is_telling, words)) or {"let", "know"} <= said,
        of_us=not _US.isdisjoint(said),
        of_me=not _ME.isdisjoint(said),
        ends=_ends(words),
        when=not _WHEN.isdisjoint(said),
        asks_why=not _WHY.isdisjoint(words[:2]) or any(tuple(words[:2]) == one for one in _WHY_SAID),
        is_red=not (_RED.isdisjoint(said) or _ASKS.isdisjoint(said)) and said <= _RED | _ASKS | _AROUND_RED,
        who_looks=not _WHO.isdisjoint(words[:1]) and _begins(words[1:4], _LOOKING),
    )


def of_my_own(left: str) -> str:
    """Return what stands behind `notify me` for who is to be told of what waits for them, or of nothing; or hours."""
    words = normalized(left).split()
    said, found = set(words), hearing(left)
    is_direct = not _DIRECT.isdisjoint(said) or _has(words, _DIRECT_SAID) or _begins(words, _DIRECT_GERMAN)
    is_mine = not (_MINE.isdisjoint(said) or _MY_BUILDS.isdisjoint(said))
    hours = _HOURS.search(left[:_LONGEST].casefold())
    is_ours = not (said & _US).issubset(("here", "hier", "aqui"))
    if hours and found.is_told and not is_ours and (found.ends or "quiet" in said):
        return f"quiet {hours[1]}-{hours[2]}"
    if found.ends and found.of_me and not is_ours and (is_direct or is_mine):
        return "nothing"
    waits = found.is_told or is_direct or "let" in said or not said.isdisjoint(("lass", "gib"))
    if found.ends or is_ours or not (waits and found.when and found.of_me and _begins(words, _OF_APPROVAL)):
        return ""
    is_to_approve = said.isdisjoint(_MAY | _MY_BUILDS) and not said.isdisjoint(_OF_MINE)
    return "waiting" if is_to_approve else ""


def says_no_more(word: str) -> bool:
    """Say whether a word of somebody who wants to be told no more says nothing but that."""
    return word in _SAY_NO_MORE or _is_telling(word)


def _ends(words: Sequence[str]) -> bool:
    """Say whether no is said to being told: right before the first word for it, or by words that say it anywhere."""
    told = next((at for at, word in enumerate(words) if _is_telling(word)), -1)
    is_to_be = told > 0 and words[told] not in _NO_TOLD and (words[told] not in _HEAR or not _WANT.isdisjoint(words))
    before = words[max(told - FAR, 0) : told] if is_to_be else ()
    if not _NO.isdisjoint(before) and _AND.isdisjoint(before):  # who stops a build and wants to be told does not
        return True
    in_two = any(one in words and other in words[words.index(one) :] for one, other in _NO_AND_MORE)
    return in_two or not _NO_MORE.isdisjoint(words) or _has(words, _NO_MORE_SAID)


def _has(words: Sequence[str], said: Sequence[tuple[str, ...]]) -> bool:
    pairs = set(pairwise(words))
    return any(one in pairs for one in said)


def _begins(words: Sequence[str], beginnings: tuple[str, ...]) -> bool:
    return any(word.startswith(beginnings) for word in words)


def _is_telling(word: str) -> bool:
    return word.startswith(_TELLING) and word not in _NO_TELLING
