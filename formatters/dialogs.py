"""The dialog before an act: all of what would be done can be read there, as it is, or there is no button for it."""

from formatters.blocks import Block, clean, confirm
from formatters.lookalikes import careful_plainly, exactly

LONGEST = 299  # https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object


def asks(title: str, text: str, yes: str, no: str, *names: str) -> Block | None:
    """Return a dialog with the whole text, and a note where one of the names looks like another; None if it is cut."""
    if len(clean(exactly(text), 2 * LONGEST)) + len(careful_plainly(*names)) > LONGEST:
        return None
    return asks_of_build(title, text, yes, no, *names)


def asks_of_build(title: str, text: str, yes: str, no: str, *names: str) -> Block:
    """Return the dialog about a build or a job, whose number says which it is, whatever else has no room."""
    return confirm(exactly(title), exactly(text), yes, no, note=careful_plainly(*names))
