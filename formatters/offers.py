"""Command lines that may have been meant, as buttons: a look at a press, an act behind a dialog that names it all."""

from collections.abc import Sequence
from typing import NamedTuple

from bot.actions import RunCommand
from formatters.again import act_button
from formatters.blocks import Block, actions, button

MOST = 3


class Offer(NamedTuple):
    """A line that may have been meant, and the `label` it bears; of an act `names` says on what it is carried out.

    What was answered before it still holds: who is told `directly` of what comes of it, that its branch is `unbuilt`.
    """

    line: str
    label: str
    names: str = ""
    directly: bool = False
    unbuilt: bool = False

    @property
    def button(self) -> Block | None:
        """The button of it; None where none can carry it, or no dialog show all of it."""
        run = RunCommand(text=self.line, directly=self.directly, unbuilt=self.unbuilt)
        if self.names:
            return act_button(self.line, self.label, self.names, action=run)
        return button(run, self.label) if run.fits else None


def row(offers: Sequence[Offer]) -> Block | None:
    """Return the buttons, if there is any."""
    buttons = [made for one in offers[:MOST] if (made := one.button)]
    return actions(*buttons) if buttons else None
