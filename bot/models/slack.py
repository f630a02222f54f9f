"""What Slack brings (a word, a click) and the threads that are told."""

from datetime import UTC, datetime
from typing import Literal, Self

from pydantic import Field

from bot.models.attempt import Attempt, ParameterValue
from bot.models.build import Change
from bot.models.caller import Caller, Place
from bot.models.circleci import Pipeline, PipelineId, ProjectSlug, Ref
from bot.models.fields import Model

MOST_ACTED = 10  # who acted before the last one and is mentioned still
CANCELLED = "cancelled"  # what was done last, as the root says it


class Saying(Model):
    """A post on its way to Slack, recorded before it is sent: a process that dies meanwhile leaves it behind.

    `mark` stands in the message's metadata, so that it can be found again. `role` is what the post becomes: the root
    (whose `digest` it shows), a reply, the final one of them, or the word that moves the watch into direct messages. A
    reply adds `told` to what the thread was told, and takes `untold` from it. An earlier version wrote no `untold`:
    there `told` is all that the thread was told after it. `offers` are the changes that a reply tells, if something
    can be pressed in it.
    """

    mark: str
    role: Literal["root", "reply", "final", "moved"]
    thread: Place
    told: tuple[str, ...] = ()
    untold: tuple[str, ...] | None = None
    offers: tuple[Change, ...] = ()
    digest: str = ""
    failure: str = ""


GREETING = "hello"


class Invocation(Model):
    """What somebody said to the bot, or did that asks for an answer.

    `kind` is command, mention, message (a direct one), button, or opened: they opened our direct messages.
    `id` is Slack's id of the delivery, the same on each redelivery. `message_ts` is the message of a mention,
    `edited_after` how many seconds later it was edited, if this is what it reads since. `is_aside` says that other
    words stood before our name, `signed` that its ack says what was understood.
    """

    id: str
    kind: str
    text: str
    user_id: str
    user_name: str = ""
    team_id: str
    channel_id: str
    command: str = "/ci"
    message_ts: str | None = None
    thread_ts: str | None = None
    response_url: str | None = Field(default=None, repr=False)
    trigger_id: str | None = Field(default=None, repr=False)
    edited_after: float | None = None
    is_aside: bool = False
    signed: bool = False

    @property
    def heard(self) -> Self:
        """What of it is carried out: who says something else first ("don't", "Ada wrote") is greeted, not obeyed."""
        return self.model_copy(update={"text": GREETING, "is_aside": False}) if self.is_aside else self

    @property
    def caller(self) -> Caller:
        """Who said it, and where."""
        return Caller(
            person_id=self.user_id,
            name=self.user_name,
            team_id=self.team_id,
            place=Place(channel_id=self.channel_id, thread_ts=self.thread_ts),
            delivery_id=self.id,
        )


class Closing(Model):
    """What the root says of the end of the attempt `fingerprint`: its `verdict` in a few words.

    `has_files` says that its jobs stored some, as far as anybody knows.
    """

    fingerprint: str
    verdict: str = ""
    has_files: bool = True


class Watch(Model):
    """A thread that follows a pipeline, and what it was last told.

    `id` is that of the delivery that began it. `asker_id` asked the bot for this pipeline, if anybody did; `started_by`
    is who began one that was started elsewhere, with a push if it `was_pushed`, `watcher_id` who has it followed here,
    and `actor_name` who acted on it last, as `acted` says; `actor_id` did so here, when `acted_after` was its last
    final reply, and waits for what comes of it, as do those in `acted_before`, who did so here before.
    `root_ts` is the message edited in place, `root_digest` what it showed last, `told` the keys of changes and final
    words already posted, `saying` a post of which it is not known yet whether it arrived. `note` is a sentence shown
    in the root, such as why this branch was chosen. `moved_to_direct` says that its channel would not take it any
    more. `final_ts` is the last final reply, `failure` names what failed in it, and `failure_before` what failed in
    the one before it. `refusals` counts the posts in a row that Slack refused and nobody knows for how long.
    `parameters` are those it was asked for with, as is the pipeline `definition`, `agreed_revision` is the commit that
    a second person saw and agreed to. `offers` are the replies in which something can be pressed still, by their `ts`,
    with what they tell. `closing` is what the root says of the last end; `known_end` names the attempt that was over
    when it was asked for: nobody waits for that end. `also_told` are those who asked to hear of the end too.
    `agent` is the program that asked for the asker, or on its `own`, and `agreed_name` who let that happen.
    """

    id: str
    pipeline_id: PipelineId
    pipeline_number: int
    project_slug: ProjectSlug
    project_title: str
    ref: Ref | None = None
    thread: Place
    asker_id: str = ""
    asker_name: str = ""
    watcher_id: str = ""
    watcher_name: str = ""
    started_by: str = ""
    was_pushed: bool = False
    actor_id: str = ""
    actor_name: str = ""
    acted: str = ""
    acted_after: str | None = None
    acted_before: tuple[str, ...] = ()
    offers: dict[str, tuple[Change, ...]] = Field(default_factory=dict)
    asked_at: datetime
    root_ts: str | None = None
    root_digest: str = ""
    told: tuple[str, ...] = ()
    saying: Saying | None = None
    note: str = ""
    moved_to_direct: bool = False
    final_ts: str | None = None
    failure: str = ""
    failure_before: str = ""
    refusals: int = 0
    parameters: dict[str, ParameterValue] = Field(default_factory=dict)
    definition: str = ""
    agreed_revision: str = ""
    closing: Closing | None = None
    known_end: str = ""
    also_told: tuple[str, ...] = ()
    agent: str = ""
    own: bool = False
    agreed_name: str = ""

    @classmethod
    def of(cls, pipeline: Pipeline, title: str, watcher: Caller, place: Place) -> Self:
        """Return the watch of somebody who follows, in a place, what was started without them."""
        return cls(
            id=watcher.delivery_id,
            pipeline_id=pipeline.id,
            pipeline_number=pipeline.number,
            project_slug=pipeline.project_slug,
            project_title=title,
            ref=pipeline.ref,
            thread=place,
            started_by=pipeline.actor,
            was_pushed=pipeline.was_pushed,
            watcher_id=watcher.person_id,
            watcher_name=watcher.name,
            asked_at=utc_now(),
        )

    def is_told_in(self, place: Place) -> bool:
        """Say whether it tells the thread somebody spoke in, or outside of threads their channel."""
        return self.thread.channel_id == place.channel_id and place.thread_ts in (None, self.reply_ts)

    @classmethod
    def of_attempt(cls, attempt: Attempt, pipeline_id: PipelineId, number: int) -> Self:
        """Return the watch of whoever asked for a pipeline, where they asked for it."""
        return cls(
            id=attempt.id,
            pipeline_id=pipeline_id,
            pipeline_number=number,
            project_slug=attempt.project_slug,
            project_title=attempt.project_title,
            ref=attempt.ref,
            thread=attempt.thread,
            asker_id=attempt.asker_id,
            asker_name=attempt.asker_name,
            watcher_id=attempt.asker_id,
            watcher_name=attempt.asker_name,
            asked_at=attempt.asked_at,
            note=attempt.note,
            parameters=attempt.parameters,
            definition=attempt.definition,
            agreed_revision=attempt.agreed_revision,
            agent=attempt.agent,
            own=attempt.own,
            agreed_name=attempt.agreed_name,
        )

    @property
    def has_begun_it(self) -> bool:
        """It is the thread in which the bot was asked for this pipeline: that it began is known without a look."""
        return bool(self.asker_id) and self.asker_id == self.watcher_id and not self.started_by

    @property
    def follower_id(self) -> str:
        """Who is told where its channel takes nothing any more."""
        return self.watcher_id or self.asker_id

    def is_of(self, person_id: str) -> bool:
        """Say whether somebody may end it for them: it is theirs too, or nobody's, as an earlier version kept it."""
        others = (*self.also_told, *self.acted_before, self.actor_id)  # also who has heard of an end, and would again
        return self.follower_id in ("", person_id) or person_id in others

    def without(self, person_id: str) -> Self | None:
        """Return what is left of it once somebody follows it no more: that of the next who does; None where none do."""
        also, before = _but(self.also_told, person_id), _but(self.acted_before, person_id)
        rest: dict[str, object] = {"also_told": also, "acted_before": before}
        rest |= {"actor_id": ""} if self.actor_id == person_id else {}
        if self.follower_id not in ("", person_id):
            return self.model_copy(update=rest)
        heirs = (*also, *_but(self._actors, person_id))
        if not heirs:
            return None
        rest |= {"watcher_id": heirs[0], "watcher_name": "", "also_told": _but(also, heirs[0])}
        return self.model_copy(update=rest)

    def apart(self) -> "tuple[Self, tuple[Self, ...]]":
        """Return it for who follows alone, and one for each other who waits: each goes their own way from there."""
        others = dict.fromkeys(one for one in (*self.also_told, *self._actors) if one != self.follower_id)
        rest: dict[str, object] = {"also_told": (), "acted_before": ()}
        rest |= {"actor_id": ""} if self.actor_id != self.follower_id else {}
        alone = {**rest, "actor_id": "", "saying": None, "refusals": 0, "watcher_name": ""}
        theirs = [self.model_copy(update={**alone, "id": f"{self.id}:{one}", "watcher_id": one}) for one in others]
        return self.model_copy(update=rest), tuple(theirs)

    @property
    def _actors(self) -> tuple[str, ...]:
        """Who acted here and has heard of no end since: they wait for it, whoever acts after them."""
        acted = (*self.acted_before, self.actor_id)  # there is none where the last of them has left
        return tuple(filter(None, acted)) if self.acted_after == self.final_ts else ()

    @property
    def waits_for_it(self) -> str:
        """Who is pinged first at the end: who acted last, as they wait for what came of that."""
        return self.actor_id or self.follower_id

    @property
    def wait_for_it(self) -> tuple[str, ...]:
        """All who are pinged at the end, each once; who asked for the pipeline is named beside them."""
        followers = (self.follower_id, *self.acted_before, *self.also_told)
        return tuple(dict.fromkeys(one for one in (self.waits_for_it, *followers) if one))

    def acted_on(self, caller: Caller, act: str, agreed: str = "") -> Self:
        """Return the watch after somebody has acted on the build: here they wait for it then, if they acted here.

        What the bot does itself changes nobody's wait. `agreed` is the name of who let an agent have it done.
        """
        if caller.is_bot:
            return self
        name = f"{caller.called}; {agreed} agreed" if agreed else caller.called
        now: dict[str, object] = {"actor_name": name, "acted": act}
        if caller.channel_id == self.thread.channel_id:
            before = dict.fromkeys(_but(self._actors, caller.person_id))
            now |= {"actor_id": caller.person_id, "acted_after": self.final_ts}
            now |= {"acted_before": tuple(before)[-MOST_ACTED:]}
        return self.model_copy(update=now)

    def asked_like(self, other: Self) -> Self:
        """Return the watch with who asked for the pipeline, and with what, which another thread knows."""
        known: dict[str, object] = {
            "asker_id": other.asker_id,
            "asker_name": other.asker_name,
            "parameters": other.parameters,
        }
        known |= {"agent": other.agent, "own": other.own, "agreed_name": other.agreed_name}
        return self.model_copy(update=known)

    @property
    def reply_ts(self) -> str | None:
        """The thread its replies go to: the one it was asked in, or that of its own root."""
        return self.thread.thread_ts or self.root_ts

    def with_told(self, *keys: str) -> Self:
        """Return the watch with `keys` among what it was told."""
        return self.model_copy(update={"told": tuple(dict.fromkeys((*self.told, *keys)))})

    def with_said(self, ts: str) -> Self:
        """Return the watch after what it was saying has arrived as the message `ts`."""
        if self.saying is None:
            return self
        saying, changed = self.saying, dict[str, object]()
        arrived = {"saying": None, "refusals": 0}
        match saying.role:
            case "root":
                changed = {"root_ts": ts, "root_digest": saying.digest}
            case "reply":
                offers = {**self.offers, **({ts: saying.offers} if saying.offers else {})}
                changed = {"told": self._told_after(saying), "offers": offers}
            case "final":
                changed = {"told": self._told_after(saying), "final_ts": ts, "failure": saying.failure}
                changed["failure_before"] = self.failure
            case "moved":
                there = Place(channel_id=saying.thread.channel_id, thread_ts=ts)
                changed = {"thread": there, "root_ts": None, "root_digest": "", "moved_to_direct": True, "offers": {}}
        return self.model_copy(update={**changed, **arrived})

    def _told_after(self, saying: Saying) -> tuple[str, ...]:
        if saying.untold is None:
            return saying.told
        left = [key for key in self.told if key not in saying.untold]
        return tuple(dict.fromkeys((*left, *saying.told)))


def _but(people: tuple[str, ...], person_id: str) -> tuple[str, ...]:
    return tuple(one for one in people if one != person_id)


class Click(Model):
    """A press on one of our buttons; `value` is a packed action (see `bot/actions.py`)."""

    id: str
    action_id: str
    value: str
    user_id: str
    user_name: str = ""
    team_id: str
    channel_id: str
    message_ts: str
    thread_ts: str | None = None
    response_url: str | None = Field(default=None, repr=False)
    trigger_id: str | None = Field(default=None, repr=False)

    @property
    def caller(self) -> Caller:
        """Who pressed, and where; a window stands nowhere."""
        place = Place(channel_id=self.channel_id, thread_ts=self.thread_ts) if self.channel_id else None
        return Caller(
            person_id=self.user_id,
            name=self.user_name,
            team_id=self.team_id,
            place=place,
            delivery_id=self.id,
            pressed=True,
            pressed_ts=self.message_ts,
        )


def utc_now() -> datetime:
    """Return our own clock, for what CircleCI's cannot tell."""
    return datetime.now(UTC)
