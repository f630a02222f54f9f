"""What is known of a build that nobody may have typed, and of a project's list of builds."""

from datetime import datetime

from pydantic import Field

from bot.models.build import Build
from bot.models.circleci import Pipeline
from bot.models.fields import Model
from bot.models.slack import utc_now


class News(Model):
    """A build of a branch that some channel has subscribed to, between two looks at it.

    `pipeline` is as it was last read, and to be read anew where it `may_tell_more`. It `was_there` when all that
    want to hear of it subscribed; `there` are the marks of subscriptions that found it so, with when they were made:
    what had ended by then is no news to these, and to nobody else. `finished_since` is when the attempt `fingerprint`
    was first seen finished, by CircleCI's clock, and `judged` the attempt that channels were told of, at which it was
    looked `again` so many times; `untold` is one that some channel could not be told for a moment. `failures` counts
    the looks in a row that came to nothing, `gone` those of them to which CircleCI answered that it does not know it,
    `broken` those that failed because of ourselves. `unsaid` is an end that somebody whose build it is is to be told
    at `say_at`, as they could not be for a moment: it is read meanwhile when that is `due`, or when more `knocks` came
    than were heard. It is `held` while channels were told that it waits for approval. Its project is `heard_since` then
    where it stood in a list of that for new subscriptions: what had ended by then is no news to whose build it is.
    """

    since: datetime = Field(default_factory=utc_now)
    pipeline: Pipeline | None = None
    was_there: bool = False
    there: dict[str, datetime] = Field(default_factory=dict)
    may_tell_more: bool = False
    fingerprint: str = ""
    finished_since: datetime | None = None
    judged: str = ""
    untold: Build | None = None
    again: int = 0
    waits_since: datetime | None = None
    failures: int = 0
    gone: int = 0
    broken: int = 0
    held: bool = False
    unsaid: Build | None = None
    say_at: datetime | None = None
    due: datetime | None = None
    knocks: int = 0
    heard_since: datetime | None = None


class ReadUpTo(Model):
    """How far the list of a project's builds has been read: to the one with the number `newest`, None for not at all.

    `rules` are the marks of the subscriptions that there were then, and `asked_at` is when its default branch was last
    asked for. `failures` counts how often in a row the list was not to be had. `seen` are the numbers of those that it
    had lately: what shows up between them later is new. Before the one with the number `skipped` nobody looked at some,
    as too many came at once. It `waits_since` then for its turn at CircleCI. The project is `heard_since` then: what
    had ended before is news to nobody whose build it is.
    """

    newest: int | None = None
    seen: frozenset[int] = frozenset()
    rules: frozenset[str] = frozenset()
    asked_at: datetime | None = None
    failures: int = 0
    skipped: int = 0
    waits_since: datetime | None = None
    heard_since: datetime | None = None
