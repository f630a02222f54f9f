"""An act that waits: for a second person, for its target to be typed, for a green branch, for a choice."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field

from bot.models import spelling
from bot.models.attempt import Attempt, Demand, ParameterValue
from bot.models.caller import Caller
from bot.models.circleci import PipelineId, ProjectSlug, Ref
from bot.models.fields import Model

ASKING = timedelta(minutes=2)  # how long a run may take to ask for somebody's word, before it is known to have died


class Deployment(Model):
    """A pipeline to start; `note` is a sentence shown with it, such as why this branch was chosen.

    `definition` is the pipeline definition as it was typed, if one was. An earlier version kept no `project_id`.
    """

    kind: Literal["deploy"] = "deploy"
    project_slug: ProjectSlug
    project_id: str = ""
    project_title: str
    ref: Ref
    parameters: dict[str, ParameterValue] = Field(default_factory=dict)
    definition_id: str | None = None
    definition: str = ""
    note: str = ""

    @property
    def target(self) -> str:
        """What would be deployed, as people say it."""
        return f"{self.project_title} {self.ref.said}"

    @property
    def typed(self) -> str:
        """The command that asks for the same."""
        return spelling.deploy(self.project_slug, self.ref, self.parameters, self.definition)


class _OfPipeline(Model):
    project_slug: ProjectSlug
    project_title: str
    ref: Ref | None = None
    pipeline_id: PipelineId
    pipeline_number: int

    @property
    def target(self) -> str:
        """Which build, as people say it."""
        return f"{self.project_title} {self.ref or ''} #{self.pipeline_number}".replace("  ", " ")


class Rerun(_OfPipeline):
    """Workflows to run again: the failed jobs alone or all; `ssh` opens the failed jobs to the token's user.

    Where some `workflows` are named, these alone are meant.
    """

    kind: Literal["rerun"] = "rerun"
    failed_only: bool
    ssh: bool = False
    workflows: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What is pressed for it."""
        return "Rerun failed" if self.failed_only else "Rerun all"

    @property
    def typed(self) -> str:
        """The command that asks for the same; empty text where none does, as it would run more."""
        if self.workflows:
            return ""
        how = [*([] if self.failed_only else ["all"]), *(["ssh"] if self.ssh else [])]
        return " ".join(["rerun", self.project_slug, f"#{self.pipeline_number}", *how])


class Approval(_OfPipeline):
    """A job on hold to let go on."""

    kind: Literal["approve"] = "approve"
    approval_request_id: str
    job_name: str = ""

    @property
    def typed(self) -> str:
        """The command that offers the same, with what else waits."""
        return f"approve {self.project_slug} #{self.pipeline_number}"


class Cancellation(_OfPipeline):
    """All that runs of a build to cancel, unless it has run again since it had so many `reruns`."""

    kind: Literal["cancel"] = "cancel"
    reruns: int = 0

    @property
    def typed(self) -> str:
        """The command that asks for the same."""
        return f"cancel {self.project_slug} #{self.pipeline_number}"


Wish = Deployment | Rerun | Approval | Cancellation


class Runs(Model):
    """The jobs that an act on a build would run: the `first` of them, those `behind` them, and the `holds` among these.

    What stands behind a hold waits for another approval.
    """

    first: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()


class Seen(Model):
    """What stood there when it was asked: the head of the branch as CircleCI has built it, and its newest pipeline.

    Of an act on a build also the attempt it would act on, by its `fingerprint`, and what it `runs`. An earlier version
    kept neither, so that its questions are asked anew. `definition` is the name of the pipeline definition. `stops` is
    what a cancel would stop: what of it ends meanwhile by itself is no other cancel.
    """

    revision: str = ""
    newest_number: int = 0
    fingerprint: str = ""
    runs: Runs = Runs()
    definition: str = ""
    stops: tuple[str, ...] = ()

    def is_still(self, now: Self) -> bool:
        """Say whether what would ship, run and stop is what was seen; a newer build of the commit changes nothing."""
        then = (self.revision, self.fingerprint, self.runs, self.definition)
        stops_no_more = set(now.stops) <= set(self.stops)
        return stops_no_more and then == (now.revision, now.fingerprint, now.runs, now.definition)

    @property
    def mark(self) -> str:
        """A short name for what would ship, run and stop: a button bears that of what its message shows."""
        shown = self.model_dump_json(exclude={"newest_number"})
        return hashlib.sha256(shown.encode()).hexdigest()[:12]


class End(Model):
    """How it ended, in words: what stands in the request's place, and what the asker is told in the thread, if that.

    There may be `more` of what is shown, a paragraph each; `again` is the command that asks for the same, if that is
    offered. What was agreed to `in_vain` came to nothing, or to a part, or nobody can tell what came of it: of what was
    sent and is `lost` CircleCI gave no answer, so that it is looked for, or was in vain, or it took a part alone.
    """

    shown: str
    told: str = ""
    more: tuple[str, ...] = ()
    again: str = ""
    in_vain: bool = False
    lost: Literal["", "looked for", "not found", "in part"] = ""


class Pending(Model):
    """One act that waits; `id` is the delivery that asked for it, `wish` what will be sent.

    `open` are the demands still to be met, in the order in which they are asked for, `met` those that are, `agreed` is
    who met that of a second person, or that a person lets happen what an agent asks for. `request_ts` is the message in
    `asker`'s place that asks for one, which a run is about to post until `asking_until`; after `expires_at` nobody can
    answer it. `seen` is what stood there when the question was put, `choices` are the pipeline definitions that were
    offered, `beside` the deploys of others that were named as running. It was shown `anew` where something else stood
    there later. `end` is written before it is said, and `over` when it has been. `version` counts how often it was
    kept, so that nobody writes over what they have not seen. `red` is the commit that was named as red, empty text
    where no build decided, None where nothing was asked or by an earlier version; `over_red` is the name of who let it
    go on though the branch was not green.
    """

    id: str
    wish: Annotated[Wish, Field(discriminator="kind")]
    asker: Caller
    asked_at: datetime
    open: tuple[Demand, ...] = ()
    met: tuple[Demand, ...] = ()
    agreed: Caller | None = None
    seen: Seen = Seen()
    request_ts: str | None = None
    asking_until: datetime | None = None
    expires_at: datetime | None = None
    choices: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    red: str | None = None
    over_red: str = ""
    anew: bool = False
    end: End | None = None
    over: bool = False
    version: int = 0

    @property
    def target(self) -> str:
        """What it is about, as people say it."""
        return self.wish.target

    @property
    def is_late(self) -> bool:
        """Say whether nobody can answer it any more."""
        return self.expires_at is not None and datetime.now(UTC) > self.expires_at

    @property
    def waits(self) -> bool:
        """Say whether somebody can still answer it."""
        return not (self.over or self.is_late)

    @property
    def is_agreed(self) -> bool:
        """Say whether somebody has agreed to it."""
        return bool({Demand.SECOND_PERSON, Demand.PERSON} & {*self.met})

    @property
    def waits_for_a_word(self) -> bool:
        """Say whether it is somebody's word that is next, as the request in its place asks for."""
        return self.open[:1] in ((Demand.SECOND_PERSON,), (Demand.PERSON,))

    @property
    def is_asked(self) -> bool:
        """Say whether somebody reads what it waits for; with nothing open it is on its way.

        A request for somebody's word that Slack did not take is read by nobody.
        """
        return bool(self.open or self.choices) and not (self.waits_for_a_word and self.request_ts is None)

    def was_left(self, now: datetime) -> bool:
        """Say whether a run died before it could ask for somebody's word: nobody reads it, or ever will."""
        until = self.asking_until or self.asked_at + ASKING
        is_asked_for = self.waits_for_a_word and not self.over
        return is_asked_for and self.request_ts is None and now > until

    @property
    def takes_two(self) -> bool:
        """Say whether nobody can let it happen alone: an agent's owner can, unless a second person is demanded."""
        return Demand.PERSON not in (*self.open, *self.met)

    def shows(self, mark: str) -> bool:
        """Say whether its request shows what a button's message did; one without a mark was made by an earlier version.

        Such a one bears what was shown first.
        """
        return mark == self.seen.mark if mark else not self.anew

    @property
    def was_cut_off(self) -> bool:
        """Say whether an earlier version kept it with nothing left to be met: a press of it died before it was sent."""
        return self.version == 0 and not self.open

    def wishing(self, wish: Wish) -> Self:
        """Return it with what will be sent; all that was seen, met and agreed to goes with another wish."""
        if wish == self.wish:
            return self
        return self.model_copy(update={"wish": wish, "met": (), "agreed": None, "seen": Seen()})

    @property
    def ended(self) -> Self:
        """Return it as nothing waits for it any more."""
        return self.model_copy(update={"over": True, "open": ()})

    def having_met(self, demand: Demand) -> Self:
        """Return it with a demand among those that are met."""
        left = tuple(one for one in self.open if one is not demand)
        met = tuple(one for one in self.met if one is not demand)
        return self.model_copy(update={"open": left, "met": (*met, demand)})

    def agreed_to_by(self, caller: Caller) -> Self:
        """Return it as somebody has let it happen."""
        met = self.having_met(Demand.SECOND_PERSON if self.takes_two else Demand.PERSON)
        return met.model_copy(update={"agreed": caller})

    def has_met(self, demand: Demand) -> bool:
        """Say whether a demand is met; who agreed as the second person is a person."""
        return demand in self.met or (demand is Demand.PERSON and self.is_agreed)

    @classmethod
    def of(cls, attempt: Attempt) -> Self:
        """Return what an earlier version kept as an attempt with demands.

        It took off what was met, and asked in the order of `Demand`: once a second person was next, it had been typed.
        Whether the branch is green is looked up anew.
        """
        typed = not {Demand.GREEN, Demand.TYPED} & set(attempt.demands)
        wish = Deployment(
            project_slug=attempt.project_slug,
            project_title=attempt.project_title,
            ref=attempt.ref,
            parameters=attempt.parameters,
            definition_id=attempt.definition_id,
            note=attempt.note,
        )
        asker = Caller(
            person_id=attempt.asker_id, name=attempt.asker_name, place=attempt.thread, delivery_id=attempt.id
        )
        return cls(
            id=attempt.id,
            wish=wish,
            asker=asker,
            asked_at=attempt.asked_at,
            open=attempt.demands,
            met=(Demand.TYPED,) if typed else (),
            request_ts=attempt.request_ts,
            expires_at=attempt.expires_at,
            over=attempt.over,
        )
