"""How often, and after which pauses, a reply that Slack would not take is completed."""

from datetime import timedelta

from bot.errors import SlackError, SlackLimited
from bot.watching.triager import MOST_TRIES, next_try

INTERVAL = timedelta(seconds=5)
REFUSED = SlackError("chat.update", "fatal_error")


def test_the_pauses_grow_and_end() -> None:
    pauses = [next_try(tries, [REFUSED], INTERVAL) for tries in range(1, MOST_TRIES + 1)]
    seconds = [pause.total_seconds() for pause in pauses if pause is not None]
    assert seconds == [10, 20, 40, 80, 160, 300, 300, 300, 300]
    assert pauses[-1] is None


def test_slack_is_left_alone_as_long_as_it_asks() -> None:
    limited = SlackLimited("chat.update", timedelta(minutes=7))
    assert next_try(1, [REFUSED, limited, SlackLimited("chat.update", INTERVAL)], INTERVAL) == timedelta(minutes=7)
    assert next_try(MOST_TRIES, [limited], INTERVAL) is None
