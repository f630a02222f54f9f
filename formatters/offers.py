"""Command lines that may have been meant, as buttons: a look at a press, an act behind a dialog that names it all."""

from collections.abc import Sequence
from typing import NamedTuple

from bot.actions import RunCommand
from formatters.blocks import Block, actions, button, clean, confirm

MOST = 3
MOST_IN_DIALOG = 300  # https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object


class Offer(NamedTuple):
    """A line that may have been meant, and the `label` it bears.

    Of an act `names` says on what and with what it is carried out, with a `note` where a name looks like another.
    """

    line: str
    label: str
    names: str = ""
    note: str = ""

    @property
    def fits(self) -> bool:
        """Say whether a button can carry it, and its dialog show all of it."""
        shown = f"{_says(self)} {self.note}"
        return RunCommand(text=self.line).fits and (not self.names or len(clean(shown, 1000)) < MOST_IN_DIALOG)


def row(offers: Sequence[Offer]) -> Block | None:
    """Return the buttons, if there is any."""
    buttons = [button(RunCommand(text=one.line), one.label, confirm=_sure(one)) for one in offers[:MOST]]
    return actions(*buttons) if buttons else None


def _sure(offer: Offer) -> Block | None:
    if not offer.names:
        return None
    verb = offer.line.split(" ", 1)[0].capitalize()
    return confirm(f"{offer.label}?", _says(offer), verb, "Not now", note=offer.note)


def _says(offer: Offer) -> str:
    return f"{offer.names}. I would carry out: {offer.line}"
