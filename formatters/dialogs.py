"""The dialog before an act: all of what would be done can be read there, or there is no button for it."""

from formatters.blocks import Block, clean, confirm
from formatters.lookalikes import careful_plainly

LONGEST = 299  # https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object


def asks(title: str, text: str, yes: str, no: str, *names: str) -> Block | None:
    """Return a dialog with the whole text, and a note where one of the names looks like another; None if it is cut."""
    note = careful_plainly(*names)
    if len(clean(text, 2 * LONGEST)) + len(note) > LONGEST:
        return None
    return confirm(title, text, yes, no, note=note)
