"""What a reader sees of a message or of a window, as lines of text: what stands where, what can be pressed. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from tests.golden.acts import acted_at_once
from tests.golden.playground import START, Json, Message, Pipeline, View, terminal

WIDTH = 14
# What differs from run to run, and what stands for it; everything else must not differ.
_VARYING = (
    (re.compile(r"http://127\.0\.0\.1:\d+"), "https://‹circleci›"),
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"), "‹id›"),
    (re.compile(r"\b([Rr]eference) [0-9a-f]{6}\b"), r"\1 ‹reference›"),
    (re.compile(r"\bcia_[\w-]{43}"), "‹token of an agent›"),
    # The bot's own clock is the real one: a lock's age, when a question expires, when an act was done.
    (re.compile(r"\b(?:(?:\d+ min )?\d+ s ago|just now)\b"), "‹age› ago"),
    (re.compile(r"\bas of \d{4}-\d\d-\d\d \d\d:\d\d"), "as of ‹when›"),
    (re.compile(r"\b([Uu])ntil \d{4}-\d\d-\d\d \d\d:\d\d"), r"\1ntil ‹a date and a time›"),
    (re.compile(r"\b(itself|as before|It was|asked for): \d{4}-\d\d-\d\d \d\d:\d\d"), r"\1: ‹a date and a time›"),
    (re.compile(r"\b(told of it|at it again) \d{4}-\d\d-\d\d \d\d:\d\d"), r"\1 ‹a date and a time›"),
    (
        re.compile(r"^( *(?:section +)?(?:\S+ \w+ · )?)\d{4}-\d\d-\d\d \d\d:\d\d(?= · .+ · `)", re.MULTILINE),
        r"\1‹when›",
    ),
    # The check-up looks at this machine.
    (re.compile(r"(?<=\*Redis\*: version )[\d.]+|(?<=\*Version\*: ci-chatops )[\d.]+"), "‹version›"),
    (re.compile(r"\bafter [\d.]+ s as a rule, [\d.]+ s at worst"), "after ‹some› s as a rule, ‹some› s at worst"),
)
# It keeps Slack from seeing a mention or a format, and nobody sees it.
_JOINER = "\u2060"
_SHOWN_LINK = re.compile(r" \(https?://[^\s)]*\)")


def tidied(text: str) -> str:
    """Return a transcript without what differs from run to run."""
    for pattern, placeholder in _VARYING:
        text = pattern.sub(placeholder, text)
    return text


def renumbered(text: str, pipelines: Sequence[Pipeline], began: datetime, *, earlier: int = 0) -> str:
    """Return a transcript as if it had begun when the world did, and the `earlier` pipelines had never been."""
    for one in pipelines[:earlier]:
        text = re.sub(rf"(?<=[#/]){one.number}\b", "‹earlier›", text)
    own = pipelines[earlier:]
    # From the smallest on: what a number was made is no longer looked for.
    for new, one in enumerate(own, start=2417):
        text = re.sub(rf"(?<=[#/]){one.number}\b", str(new), text)
    jobs = sorted({number for one in own for run in one.runs for number in run.job_numbers.values()})
    for new, job in enumerate(jobs, start=1842):
        text = re.sub(rf"\b{job}\b", str(new), text)
    text = text.replace(f"{began:%Y-%m-%d}", f"{START:%Y-%m-%d}")
    return re.sub(rf"\b{began:%H}:(?=\d\d\b)", f"{START:%H}:", text)


def standing(shown: Message) -> list[str]:
    """Return a message as it stands: where, and what is seen of it."""
    edited = ", edited until it read so" if shown.edited_ts else ""
    return [f"{place(shown)}{edited}:", *(f"  {line}" for line in message(shown))]


def place(message: Message) -> str:
    """Return where a message stands, and who sees it."""
    names = message.channel.names
    where = f"direct messages with {message.channel.name}" if message.channel.is_im else f"#{message.channel.name}"
    aloud = f", and in {where} itself" if message.reply_broadcast else ""
    where = f"a thread in {where}{aloud}" if message.thread_ts else where
    return f"only to {names[message.only_for]}, in {where}" if message.only_for else f"in {where}"


def message(shown: Message) -> list[str]:
    """Return the notification and every part of a message, with its files."""
    files = [line for file in shown.files for line in _lines("file", str(file["name"]))]
    return [*seen(shown.text, shown.blocks, shown.channel.names), *files]


def seen(text: str, parts: Sequence[Json], names: Mapping[str, str]) -> list[str]:
    """Return the notification and what is shown; text behind which there is a link bears an arrow."""
    alone = _lines("text", _arrows(terminal.render({"text": text}, names, show_links=True)))
    shown = blocks(parts, names) if parts else alone
    return [*_lines("notification", terminal.render({"text": text}, names)), *shown]


def blocks(parts: Sequence[Json], names: Mapping[str, str]) -> list[str]:
    """Return what is shown of blocks, each behind its kind."""
    return [line for block in parts for line in _block(block, names)]


def window(view: View) -> list[str]:
    """Return every part of a modal, with what its person did wrong."""
    content = view.content
    keys = [f"[ {content[name]['text']} ]" for name in ("submit", "close") if content.get(name)]
    wrong = [line for text in view.errors.values() for line in _lines("wrong", text)]
    return [*_lines("title", view.title), *blocks(view.blocks, {}), *wrong, *_lines("buttons", "  ".join(keys))]


def _block(block: Json, names: Mapping[str, str]) -> Iterator[str]:
    match block["type"]:
        case "actions":
            for element in block["elements"]:
                yield from _element(element)
        case "section":
            yield from _lines("section", _text(block.get("text"), names))
            for field in block.get("fields") or []:
                yield from _lines("field", _text(field, names))
            if block.get("accessory"):
                yield from _element(block["accessory"])
        case "input":
            yield from _input(block)
        case kind:
            yield from _lines(kind, _arrows(terminal.render({"blocks": [block]}, names, show_links=True)))


def _element(element: Json) -> Iterator[str]:
    """Yield a button with what it asks first and where it leads, or a menu with its choices."""
    label = terminal.buttons({"blocks": [{"type": "actions", "elements": [element]}]})
    if not label:
        yield from _lines("menu", terminal.render({"blocks": [{"type": "actions", "elements": [element]}]}))
        return
    style = {"primary": " (green)", "danger": " (red)"}.get(element.get("style", ""), "")
    leads = f" → {element['url']}" if element.get("url") else ""
    yield from _lines("link button" if leads else "button", f"{label[0]}{style}{leads}")
    if asks := element.get("confirm"):
        title, text, yes, no = (asks[part]["text"] for part in ("title", "text", "confirm", "deny"))
        yield from _lines("  asks first", f"{title} {text}  [ {yes} ]  [ {no} ]")
    elif act := acted_at_once(element):
        yield from _lines("  at once", act)


def _input(block: Json) -> Iterator[str]:
    element = block["element"]
    notes = ["several lines"] * bool(element.get("multiline")) + ["may stay empty"] * bool(block.get("optional"))
    yield from _lines("field", block["label"]["text"] + (f" ({', '.join(notes)})" if notes else ""))
    for option in element.get("options") or ():
        is_chosen = option == element.get("initial_option")
        yield from _lines("  choice", f"{'◉' if is_chosen else '○'} {option['text']['text']}")
    if block.get("hint"):
        yield from _lines("  hint", block["hint"]["text"])


def _text(text: Json | None, names: Mapping[str, str]) -> str:
    if text is None:
        return ""
    return _arrows(terminal.render({"blocks": [{"type": "section", "text": text}]}, names, show_links=True))


def _arrows(text: str) -> str:
    return _SHOWN_LINK.sub(" ↗", text).replace(_JOINER, "")


def _lines(label: str, text: str) -> list[str]:
    """Return a text behind its label; further lines of it stand below its first."""
    if not text:
        return []
    first, *others = text.replace(_JOINER, "").split("\n")
    return [f"{label:<{WIDTH}}{first}".rstrip(), *(f"{'':<{WIDTH}}{line}".rstrip() for line in others)]
