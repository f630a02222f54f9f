"""What a channel was told of one branch of a project that it has subscribed to."""

from bot.models.circleci import ProjectSlug
from bot.models.fields import Model


class Branch(Model):
    """A branch as a channel knows it: green, or red since the build with the number `red_since`.

    `root_ts` is the message whose thread is about that, `builds` how many have failed since, and `looking` who said
    that they look at it. `number` is that of the newest build which was judged, `fingerprint` of which attempt of it;
    `told` are keys of what was posted, so that a second run posts nothing again.
    """

    channel_id: str
    project_slug: ProjectSlug
    branch: str
    red_since: int = 0
    root_ts: str | None = None
    number: int = 0
    fingerprint: str = ""
    builds: int = 0
    looking: str = ""
    told: frozenset[str] = frozenset()
