"""Slack's blocks: the one place that escapes foreign text, knows Slack's limits and checks them.

Limits: https://docs.slack.dev/reference/block-kit/blocks . Slack counts characters after escaping, so every cut is made
on whole characters first and the escaped length is what must fit.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import regex
from pydantic import BaseModel, ConfigDict

from bot.actions import ButtonAction, OpenLink
from formatters.unseen import without_unseen

Block = dict[str, Any]

MAX_BLOCKS = 50
MAX_SECTION = 3000
MAX_PAYLOAD = 12_000  # `msg_blocks_too_long` was seen at about 13,200 (slackapi/bolt-js#2509)
MAX_TEXT = 4000
MAX_BUTTONS = 25
MAX_LABEL = 75
MAX_URL = 3000
MAX_VALUE = 2000
LONGEST_CHARACTER = 64  # a letter with all its marks, a family of emoji

_SPACES = regex.compile(r"\s+")
# What Slack's mrkdwn would format, at the edge of a word only: `feature_x` stays as it is, and can be copied.
# Behind a `_` that is no edge there is none either, in time that does not grow with each of a row of them.
_MARKUP = regex.compile(r"(?<!\w)[*_~`]+|(?<!_)[*_~`]+(?!\w)|`")
_CHARACTER = regex.compile(r"\X")
_USER_ID = regex.compile(r"[A-Z0-9]+")
# A word between colons may be a picture; the name of one is not longer than this.
_EMOJI = regex.compile(r":(?=[\w+'-]{1,100}:)")
_ESCAPED = {one: len(entity) for one, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))}
_AT_WORD = regex.compile(r"@(?=channel|here|everyone)", regex.IGNORECASE)


class Message(BaseModel):
    """What is sent: `text` is the notification and what a screen reader says, `blocks` what is shown."""

    model_config = ConfigDict(frozen=True)
    text: str
    blocks: tuple[Block, ...] = ()

    @property
    def digest(self) -> str:
        """Names what the message shows, so that an unchanged one is not sent again."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def text_only(self) -> "Message":
        """Return the message without its blocks, for when Slack refuses them."""
        return Message(text=self.text or "…")


def rewritten(message: Message, rewrite: Callable[[str], str]) -> Message:
    """Return a message with each of its texts as it is rewritten."""
    blocks = tuple(_rewritten(block, rewrite) for block in message.blocks)
    return Message(text=rewrite(message.text), blocks=blocks)


def _rewritten(part: Any, rewrite: Callable[[str], str]) -> Any:  # of a block, which is JSON
    if isinstance(part, list):
        return [_rewritten(one, rewrite) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        key: rewrite(one) if key == "text" and isinstance(one, str) else _rewritten(one, rewrite)
        for key, one in part.items()
    }


def escape(text: str) -> str:
    """Return `text` with the three characters that mean something to Slack as entities, in this order."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def clean(text: str, limit: int = 200, *, name: bool = False) -> str:
    """Return foreign text as one harmless line of at most `limit` characters after escaping.

    A `name` that is too long is cut in its middle: its end tells it from others.
    """
    line = _EMOJI.sub(":\u2060", _line(text))
    return cut_in_the_middle(line, limit) if name else cut(line, limit)


def _line(text: str) -> str:
    # What is cleaned a second time bears our own joiners, which are put in again: they are no blanks.
    text = text.replace(":\u2060", ":").replace("@\u2060", "@")
    line = str(_SPACES.sub(" ", without_unseen(text))).strip()
    return _AT_WORD.sub("@\u2060", line)


def cut(text: str, limit: int) -> str:
    """Escape `text` and cut it to `limit`, on a whole character as people see one."""
    if len(text) <= limit and len(escape(text)) <= limit:
        return escape(text)
    kept, room = [], limit - 1
    for character in _characters(text[: limit + 1]):
        room -= _ESCAPED.get(character, 1) if len(character) == 1 else len(escape(character))
        if room < 0:
            break
        kept.append(character)
    return escape("".join(kept).rstrip()) + "…"


def cut_in_the_middle(text: str, limit: int) -> str:
    """Escape `text` and cut it to `limit` so that its beginning and its end stay."""
    if len(text) <= limit and len(escape(text)) <= limit:
        return escape(text)
    end, room = list[str](), limit // 3
    for character in reversed(list(_characters(text[-limit:]))):
        room -= _ESCAPED.get(character, 1) if len(character) == 1 else len(escape(character))
        if room < 0:
            break
        end.append(character)
    tail = escape("".join(reversed(end)).lstrip())
    return cut(text, limit - len(tail)) + tail


def _characters(text: str) -> Iterator[str]:
    """Yield the characters of `text` as people see them; what no writing needs is yielded in pieces.

    Piece by piece, because `regex` looks back to the first of a row of flags from each of them.
    """
    if text.isascii():
        yield from text
        return
    start = 0
    while found := _CHARACTER.match(text[start : start + LONGEST_CHARACTER]):
        yield found[0]
        start += len(found[0])


def literal(text: str, limit: int = 200, *, name: bool = False) -> str:
    """Return foreign text for mrkdwn: as `clean`, and what would be bold or code stays itself."""
    return str(_MARKUP.sub(lambda match: "\u2060".join(match[0]) + "\u2060", clean(text, limit, name=name)))


def code(text: str, limit: int = 200) -> str:
    """Return a foreign name in a code span that it cannot close; nothing in there is drawn as a picture."""
    inside = cut_in_the_middle(_line(text.replace("`", "ˋ")), limit)
    return f"`{inside}`" if inside else ""


def code_block(lines: Sequence[str], limit: int = 2000) -> str:
    """Return the last lines that fit in a fenced block they cannot close, `…` before them; empty text for none."""
    kept: list[str] = []
    room = limit - len("```\n…\n\n```")
    for line in reversed(lines):
        safe = cut(without_unseen(line.replace("`", "ˋ")), 300)
        room -= len(safe) + 1
        if room < 0:
            break
        kept.append(safe)
    before = ["…"] if 0 < len(kept) < len(lines) and lines[0] != "…" else []
    return "```\n" + "\n".join([*before, *reversed(kept)]) + "\n```" if kept else ""


def link(url: str, label: str, limit: int = 150) -> str:
    """Return a link whose label is a foreign name; without a usable address, the label alone."""
    shown = literal(label, limit, name=True).replace("|", "¦")
    address = safe_url(url)
    return f"<{address}|{shown}>" if address and shown else shown


def safe_url(url: str) -> str:
    """Return an http address that cannot leave its link, or empty text."""
    address = quote(url, safe=":/?#[]@!$&'()*+,;=%~-._")
    address = escape(address).replace("|", "%7C")
    return address if address.startswith(("https://", "http://")) and len(address) <= MAX_URL else ""


def mention(user_id: str) -> str:
    """Return a mention, which notifies; nothing for what is no user id."""
    return f"<@{user_id}>" if _USER_ID.fullmatch(user_id) else ""


def mentions(user_ids: Iterable[str]) -> str:
    """Return mentions, one after the other."""
    return " ".join(filter(None, map(mention, user_ids)))


def moment(when: datetime) -> str:
    """Return a day and a time that Slack shows in the reader's own zone, near days as "today" and "yesterday".

    It is the one way to tell a moment: a time without its day is read as today's.
    """
    return f"<!date^{int(when.timestamp())}^{{date_short_pretty}} {{time}}|{when:%Y-%m-%d %H:%M} UTC>"


def day(when: datetime) -> str:
    """Return a day as Slack shows it in the reader's own zone."""
    return f"<!date^{int(when.timestamp())}^{{date_short_pretty}}|{when:%Y-%m-%d}>"


def section(text: str) -> Block:
    """Return a paragraph of mrkdwn; `text` is escaped already."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def context(text: str) -> Block:
    """Return a small grey line of mrkdwn."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}


def actions(*buttons: Block) -> Block:
    """Return a row of buttons."""
    return {"type": "actions", "elements": list(buttons)}


def button(action: ButtonAction, label: str, *, style: str | None = None, confirm: Block | None = None) -> Block:
    """Return a button that carries `action`; `style` is primary or danger."""
    made: Block = {
        "type": "button",
        "action_id": action.action_id,
        "text": {"type": "plain_text", "text": clean(label, MAX_LABEL), "emoji": False},
        "value": action.pack(),
    }
    return made | ({"style": style} if style else {}) | ({"confirm": confirm} if confirm else {})


def link_button(url: str, label: str, *, style: str | None = None) -> Block:
    """Return a button that opens an address."""
    text = {"type": "plain_text", "text": clean(label, MAX_LABEL), "emoji": False}
    made: Block = {
        "type": "button",
        "action_id": OpenLink.action_id,
        "text": text,
        "url": quote(url, safe=":/?#&=%~-._"),
    }
    return made | ({"style": style} if style else {})


def confirm(title: str, text: str, yes: str, no: str, *, note: str = "") -> Block:
    """Return the dialog Slack shows before a press counts: what will happen, to what, and a note that is not cut."""
    whole = f"{clean(text, 299 - len(note))} {note}" if note else clean(text, 300)
    shown = {"title": clean(title, 100), "text": whole, "confirm": clean(yes, 30), "deny": clean(no, 30)}
    return {name: {"type": "plain_text", "text": words} for name, words in shown.items()}


def fit(lines: Sequence[str], limit: int, more: str = "and {} more", *, total: int = 0) -> str:
    """Return as many whole lines as fit into `limit`, then how many of `total` were left out; they may be the first."""
    kept = fitting(lines, limit - len(more) - 8)
    left_out = max(total, len(lines)) - kept
    return "\n".join([*lines[:kept], *([more.format(left_out)] if left_out else [])])


def fitting(lines: Sequence[str], limit: int) -> int:
    """Return how many whole lines fit into `limit`."""
    room = limit
    for number, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            return number
    return len(lines)


def paragraphs(lines: Sequence[str], most: int = 3) -> tuple[list[Block], int]:
    """Return at most so many sections of whole lines, and how many lines are in them."""
    made, taken = list[Block](), 0
    while taken < len(lines) and len(made) < most and (fits := fitting(lines[taken:], MAX_SECTION - 100)):
        made.append(section("\n".join(lines[taken : taken + fits])))
        taken += fits
    return made, taken


def assemble(text: str, *blocks: Block | None) -> Message:
    """Return a message within all limits: what does not fit is dropped from the end, the buttons last, and said."""
    kept = _numbered([block for block in blocks if block is not None and not _is_empty(block)])
    if len(kept) > MAX_BLOCKS or size(kept) > MAX_PAYLOAD:
        kept = [*_cut_down(kept, MAX_BLOCKS - 1, MAX_PAYLOAD - size([_NO_ROOM])), _NO_ROOM]
    return Message(text=text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…", blocks=tuple(kept))


def _is_empty(block: Block) -> bool:
    """Say whether it is a row of no buttons: for one such Slack refuses the whole message."""
    return block["type"] == "actions" and not block["elements"]


def _cut_down(blocks: list[Block], most: int, largest: int) -> list[Block]:
    kept = list(blocks)
    while len(kept) > 1 and (len(kept) > most or size(kept) > largest):
        droppable = [number for number, block in enumerate(kept) if block["type"] != "actions"]
        del kept[droppable[-1] if len(droppable) > 1 else -1]
    return kept


_NO_ROOM = context("Not all of it fits into one message: the rest is left out.")


def _numbered(blocks: Sequence[Block]) -> list[Block]:
    """Make action ids unique in the message; what stands before the colon is the button's own."""
    seen: dict[str, int] = {}
    numbered = []
    for block in blocks:
        if block["type"] == "actions":
            elements = [element | {"action_id": _unique(element["action_id"], seen)} for element in block["elements"]]
            block = block | {"elements": elements}  # noqa: PLW2901  # the same block, numbered
        elif beside := block.get("accessory"):
            named = {"action_id": _unique(beside["action_id"], seen)}
            block = block | {"accessory": beside | named}  # noqa: PLW2901  # the same
        numbered.append(block)
    return numbered


def _unique(action_id: str, seen: dict[str, int]) -> str:
    seen[action_id] = seen.get(action_id, 0) + 1
    return action_id if seen[action_id] == 1 else f"{action_id}:{seen[action_id]}"


def size(blocks: Sequence[Block]) -> int:
    """Return how many characters blocks have as JSON, which is what Slack counts."""
    return len(json.dumps(list(blocks), ensure_ascii=False))
