"""What nobody sees in a text: what turns it around, hides it, or makes two names look the same."""

import regex

from bot.masks.unseen import UNSEEN

# An emoji whole, with what is invisible and belongs to it; or a row of control characters and of invisible ones.
_PICTURE = r"\p{Extended_Pictographic}(?:\p{Emoji_Modifier}|[\ufe0e\ufe0f])?"
_EMOJI = rf"\U0001f3f4[\U000e0030-\U000e007a]{{1,6}}\U000e007f|{_PICTURE}(?:\u200d{_PICTURE})*|[0-9#*]\ufe0f\u20e3"
_UNSEEN = regex.compile(rf"({_EMOJI})|[{UNSEEN}]+")


def without_unseen(text: str) -> str:
    """Return text with a blank for each row of characters that nobody sees; emoji keep what is theirs."""
    return str(_UNSEEN.sub(lambda match: match[1] or " ", text))


def unseen(text: str) -> set[int]:
    """Return at which places something stands that nobody sees."""
    return {at for found in _UNSEEN.finditer(text) if not found[1] for at in range(*found.span())}
