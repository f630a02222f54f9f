"""Words for days, numbers and lengths of time in German and Spanish, and whether a word is one. Pure."""

from collections.abc import Sequence

from bot.grammar import Word
from bot.models.lengths import STOPS, measured

DAYS = {
    **dict.fromkeys(("heute", "hoy"), "today"),
    **dict.fromkeys(("morgen", "mañana"), "tomorrow"),
    **dict.fromkeys(("montag", "lunes"), "monday"),
    **dict.fromkeys(("dienstag", "martes"), "tuesday"),
    **dict.fromkeys(("mittwoch", "miércoles"), "wednesday"),
    **dict.fromkeys(("donnerstag", "jueves"), "thursday"),
    **dict.fromkeys(("freitag", "viernes"), "friday"),
    **dict.fromkeys(("samstag", "sonnabend", "sábado"), "saturday"),
    **dict.fromkeys(("sonntag", "domingo"), "sunday"),
    **dict.fromkeys(("mittag", "mittags", "mediodía"), "noon"),
    **dict.fromkeys(("mitternacht", "medianoche"), "midnight"),
}
NUMBERS = {
    **dict.fromkeys(("ein", "eine", "einen", "einer", "un", "una"), "one"),
    **dict.fromkeys(("zwei", "dos"), "two"),
    **dict.fromkeys(("drei", "tres"), "three"),
    **dict.fromkeys(("vier", "cuatro"), "four"),
    **dict.fromkeys(("fünf", "cinco"), "five"),
    **dict.fromkeys(("sechs", "seis"), "six"),
    **dict.fromkeys(("halbe", "media"), "half"),
}
LENGTHS = {
    **dict.fromkeys(("stunde", "stunden", "hora", "horas"), "hours"),
    **dict.fromkeys(("minute", "minuten", "minuto", "minutos"), "minutes"),
    **dict.fromkeys(("tag", "tage", "tagen", "día", "dia", "días", "dias"), "days"),
    **dict.fromkeys(("woche", "wochen", "semana", "semanas"), "weeks"),
}
HALVES = frozenset(("half", "halb", "halbe", "halben", "medio", "media", "viertel", "cuarto", "quarter"))
NEXT = ("next", "following", "nächst", "naechst", "übernächst", "kommend", "folgend", "próxim", "proxim", "siguiente")
SPANS = frozenset(("week", "month", "sprint", "monat", "monats", "woche", "tages", "tag", "semana", "mes", "año"))


def joined(words: Sequence[Word]) -> str:
    """Return words as one text, without the stop behind it."""
    return " ".join(word.text for word in words).rstrip(STOPS)


def bare(words: Sequence[Word], at: int) -> str:
    """Return a word in small letters and without a stop; empty text for a quoted one, and where none stands."""
    return words[at].text.casefold().rstrip(STOPS) if 0 <= at < len(words) and not words[at].quoted else ""


def is_amount(text: str) -> bool:
    """Say whether a word is a number in digits."""
    return text.replace(",", ".").replace(".", "", 1).isdecimal()


def is_number(words: Sequence[Word], at: int) -> bool:
    """Say whether a word is a number, in digits or not."""
    text = bare(words, at)
    return text in NUMBERS or is_amount(text) or bool(measured([text, "hours"]))
