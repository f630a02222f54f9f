"""What a channel was told of one branch of a project that it has subscribed to."""

from datetime import datetime

from bot.models.circleci import PipelineId, ProjectSlug
from bot.models.fields import Model, Time


class Branch(Model):
    """A branch as a channel knows it: green, or red since the build with the number `red_since`.

    That one ended at `red_at`; `or_before` says that an earlier one may have broken it, of which nothing was known.
    `root_ts` is the message whose thread is about that, `builds` how many have failed since, and `looking` who said
    that they look at it. `number` and `pipeline_id` are those of the newest build which was judged, in the attempt with
    this `fingerprint`, as it was at `read_at` on CircleCI's clock; where it failed, `failing` are the keys of its tests
    that did, `failed_jobs` its jobs with their workflows, and `failure` names all of it. `told` are keys of what was
    judged and posted, so that a second run posts nothing again. Until `snoozed_until`, as `snoozed_by` asked, nothing
    is posted of it but that it is fixed. `posting` is how it stands once the message about it is posted that a run is
    about to: it may have died over that.
    """

    channel_id: str
    project_slug: ProjectSlug
    branch: str
    red_since: int = 0
    or_before: bool = False
    red_at: Time | None = None
    root_ts: str | None = None
    number: int = 0
    pipeline_id: PipelineId = PipelineId("")
    fingerprint: str = ""
    read_at: Time | None = None
    failing: frozenset[str] = frozenset()
    failed_jobs: frozenset[str] = frozenset()
    failure: str = ""
    builds: int = 0
    looking: str = ""
    snoozed_until: Time | None = None
    snoozed_by: str = ""
    told: frozenset[str] = frozenset()
    posting: "Branch | None" = None

    @property
    def is_red(self) -> bool:
        """Say whether its newest build failed, as far as it was judged."""
        return self.red_since > 0

    def is_snoozed(self, now: datetime) -> bool:
        """Say whether nothing is to be posted of it but that it is fixed."""
        return self.is_red and self.snoozed_until is not None and now < self.snoozed_until


class Orphan(Model):
    """What a channel was told of a branch that none of its subscriptions is about any more: its message is to say so.

    Where it `is_twice`, it is about one that another message of the channel is about.
    """

    title: str
    state: Branch
    is_twice: bool = False

    @property
    def name(self) -> str:
        """What tells its message from others."""
        state = self.state
        has_root = state.is_red and state.root_ts is not None
        return f"{state.channel_id} {state.root_ts if has_root else f'{state.project_slug} {state.branch}'}"
