"""An answer where everybody reads it: no wall, no pings; and the button that shares one with a channel."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from bot.actions import RunCommand, ShareAnswer
from formatters.blocks import (
    MAX_BLOCKS,
    MAX_BUTTONS,
    MAX_PAYLOAD,
    MAX_SECTION,
    Block,
    Message,
    actions,
    assemble,
    button,
    context,
    link,
    literal,
    mention,
    moment,
    rewritten,
    size,
)
from formatters.plain import mentioned
from formatters.words import count

MOST_LINES = 20  # of what stands before everybody: about one screen of a phone
_FENCE, _CUT = "```", "…"
_SOMEBODY = "somebody"


def shortened(message: Message, line: str) -> Message:
    """Return the first lines of an answer; where there are more with a button for them, which `line` asks for."""
    kept, room, left_out, cut = list[Block](), MOST_LINES, 0, -1
    for block in message.blocks:
        lines = _lines(block)
        shown = block if len(lines) <= room else _part(block, lines, room)
        left_out += _said(lines) - (_said(_lines(shown)) if shown else 0)
        room = room - len(lines) if shown is block else 0
        kept += [shown] if shown else []
        cut = len(kept) if cut < 0 and shown is not block else cut
    if not left_out:
        return message
    whole = RunCommand(text=line, alone=True)
    more = f"{count(left_out, 'more line')}." if whole.fits else f"{count(left_out, 'more line')}: ask me alone."
    # It stands where they are missing: what follows may count what the whole has no room for either.
    return assemble(message.text, *kept[:cut], context(f"Shortened: {more}"), *kept[cut:], _row(whole))


def _row(whole: RunCommand) -> Block | None:
    return actions(button(whole, "Show me more")) if whole.fits else None


def _lines(block: Block) -> list[str]:
    """Return the lines of a paragraph; small print and buttons have none that count."""
    return str(block["text"]["text"]).split("\n") if block["type"] == "section" and block.get("text") else []


def _said(lines: list[str]) -> int:
    """Return how many lines say something: not the fences around code, nor the mark of what was cut before."""
    return sum(line not in (_FENCE, _CUT) for line in lines)


def _part(block: Block, lines: list[str], room: int) -> Block | None:
    """Return a paragraph with its first lines, one of code with its last ones; None where there is no room."""
    if lines[0] != _FENCE:
        shown = lines[:room]
    else:  # what a log says last is what it is read for
        shown = [_FENCE, _CUT, *lines[max(len(lines) - room + 2, 1) :]] if room > len((_FENCE, _CUT, _FENCE)) else []
    text = "\n".join(shown)
    return {**block, "text": {**block["text"], "text": text}} if text.strip() else None


def quiet(message: Message, names: Mapping[str, str]) -> Message:
    """Return an answer that notifies nobody: whom it mentions is named in plain words instead."""
    people = {mention(one): literal(names.get(one, ""), 60) or _SOMEBODY for one in mentions(message)}

    def named(text: str) -> str:
        plain = _replaced(text, people)
        return plain if len(plain) <= MAX_SECTION else _replaced(text, dict.fromkeys(people, _SOMEBODY))

    return rewritten(message, named) if people else message


def mentions(message: Message) -> set[str]:
    """Return the ids of the people whom a message mentions: not what a button carries, or says in plain words."""
    return mentioned("\n".join((message.text, *_marked_up(list(message.blocks)))))


def _marked_up(part: Any) -> Iterator[str]:  # of a block, which is JSON
    if isinstance(part, dict) and part.get("type") == "mrkdwn":
        yield str(part.get("text", ""))
        return
    for one in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _marked_up(one)


def _replaced(text: str, people: Mapping[str, str]) -> str:
    for token, name in people.items():
        text = text.replace(token, name)
    return text


def offered(message: Message, share: ShareAnswer) -> Message:
    """Return an answer with *Share here*, where there is room for it."""
    press = button(share, "Share here") if share.fits else None
    blocks = list(message.blocks)
    if press and blocks and blocks[-1]["type"] == "actions" and len(blocks[-1]["elements"]) < MAX_BUTTONS:
        blocks[-1] = actions(*blocks[-1]["elements"], press)
    elif press:
        blocks.append(actions(press))
    fits = press and message.blocks and len(blocks) <= MAX_BLOCKS and size(blocks) <= MAX_PAYLOAD
    return Message(text=message.text, blocks=tuple(blocks)) if fits else message


def shared(message: Message, name: str, now: datetime) -> Message:
    """Return an answer as it is shared: by whom, and when it was read, as that is not when it was asked first."""
    return assemble(message.text, *message.blocks, context(f"Shared by {literal(name, 60)} · as of {moment(now)}"))


def was_shared(message: Message, url: str) -> Message:
    """Return the answer to who shared it: where it stands now, and no button for that any more."""
    where = f": {link(url, 'the message')}" if url else ""
    return assemble(message.text, *message.blocks, context(f"Shared here{where}."))
