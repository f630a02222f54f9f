"""What a channel was told of one branch of a project that it has subscribed to."""

from datetime import datetime

from bot.models.circleci import PipelineId, ProjectSlug
from bot.models.fields import Model, Time


class Branch(Model):
    """A branch as a channel knows it: green, or red since the build with the number `red_since`.

    That one ended at `red_at`; `or_before` says that an earlier one may have broken it, of which nothing was known.
    `root_ts` is the message whose thread is about that, `builds` how many have failed since, and `looking` who said
    that they look at it, with their id, as they did in the delivery `looking_by`. `number` and `pipeline_id` are those
    of the newest build which was judged, in the attempt with this `fingerprint`, as it was at `read_at` on CircleCI's
    clock; where it failed, `failing` are the keys of its tests that did, `failed_jobs` its jobs with their workflows,
    and `failure` names all of it. `told` are keys of what was judged and posted, so that a second run posts nothing
    again. Until `snoozed_until`, as `snoozed_by` asked, nothing is posted of it but that it is fixed; what is known of
    some of its builds alone says whether the snooze `is_of_all` of the branch. The channel `is_told_red` where it has
    heard that it is: it may be known for others, or from before it asked. It `broke_asleep` where it has not heard that
    as the branch was snoozed. The message has `mentioned` these people and groups; None where an earlier version posted
    it. `posting` is how it stands once the message about it is posted that a run is about to: it may have died over it.
    """

    channel_id: str
    project_slug: ProjectSlug
    branch: str
    red_since: int = 0
    or_before: bool = False
    red_at: Time | None = None
    root_ts: str | None = None
    was_said: bool = False
    broke_asleep: bool = False
    mentioned: tuple[str, ...] | None = None
    number: int = 0
    pipeline_id: PipelineId = PipelineId("")
    fingerprint: str = ""
    read_at: Time | None = None
    failing: frozenset[str] = frozenset()
    failed_jobs: frozenset[str] = frozenset()
    failure: str = ""
    builds: int = 0
    looking: str = ""
    looking_id: str = ""
    looking_by: str = ""
    snoozed_until: Time | None = None
    snoozed_by: str = ""
    is_of_all: bool = False
    told: frozenset[str] = frozenset()
    posting: "Branch | None" = None

    @property
    def is_red(self) -> bool:
        """Say whether its newest build failed, as far as it was judged."""
        return self.red_since > 0

    @property
    def is_told_red(self) -> bool:
        """Say whether the channel was told that it is red, also by a message that is gone by now."""
        return self.was_said or self.root_ts is not None

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
