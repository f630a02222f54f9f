"""How long it is looked for what became of a write whose answer was lost, where CircleCI answers no look either.

Such a look shows nothing: it is none of those after which it is said that nothing came of it.
"""

from datetime import timedelta

TOLD_AFTER = 5  # looks: then it is said that nobody can tell so far
MOST = 1500  # looks: about a day, of five seconds between two at first and a minute later
LONGEST = 12  # poll intervals between two


def pause(looks: int, poll_interval: timedelta) -> timedelta | None:
    """Return the pause after so many looks that were not answered, None after the last of them."""
    intervals = min(2 ** min(max(looks - TOLD_AFTER, 0), LONGEST), LONGEST)
    return poll_interval * intervals if looks < MOST else None
