"""Everything that changes something for others: the one list of it. Each act runs within the frame (`frame.py`)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import SecretStr

from bot.actions import AgentForm, AskHolder, EndSnooze, LookAt, RemoveAgent, SnoozeForm, TakeLock, TellWhenFree, Unlock
from bot.answers.acts import Acted, Answered, KeyAdded, LockChanged
from bot.answers.agents import AgentMade
from bot.answers.channels import ChannelUses
from bot.answers.locks import WillTell
from bot.answers.subscriptions import Snoozed, Subscribed, Unseen
from bot.models.caller import Caller
from bot.models.circleci import Pipeline, PipelineId, Project, ProjectSlug, Ref
from bot.models.pending import Deployment, Pending
from bot.models.subscription import Fitting, Subscription, Wish
from bot.operations import (
    agents,
    answering,
    approve,
    cancel,
    deciding,
    deploy,
    following,
    keeps,
    lock_news,
    locks,
    looking,
    lost,
    rerun,
    sending,
    snoozing,
    standing,
    subscribing,
    taking_back,
    using,
)
from bot.operations.hands import Hands, Subject


class Operations:
    """What handlers may do. Each raises NotAllowed, Locked, Taken, NothingToDo or Waits, and what CircleCI refuses."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands

    async def deploy(self, caller: Caller, wish: Deployment) -> Acted:
        """Start a pipeline and follow it where it was asked for."""
        return await deploy.deploy(self._hands, caller, wish)

    async def choose(
        self, caller: Caller, pending_id: str, definition_id: str, before: Deployment | None = None
    ) -> Acted:
        """Go on with the definition that was chosen; `before` is what an earlier version asked about."""
        return await answering.choose(self._hands, caller, pending_id, definition_id, before)

    async def agree(self, caller: Caller, pending_id: str, shown: str = "") -> Acted:
        """Agree to what somebody else asked for, as the button's message has shown it."""
        return await deciding.agree(self._hands, caller, pending_id, shown)

    async def decline(self, caller: Caller, pending_id: str, reason: str) -> Answered:
        """Decline what somebody else asked for."""
        return await deciding.decline(self._hands, caller, pending_id, reason)

    async def refuse_if_open(self, pending_id: str) -> None:
        """Raise AskedAlready, which leads to the request, where what was asked waits for a second person."""
        await standing.refuse_if_open(self._hands, pending_id)

    async def may_decline(self, caller: Caller, pending_id: str) -> Pending | None:
        """Return what there is to decline, where that is known in time; raises what `decline` would."""
        return await deciding.may_decline(self._hands, caller, pending_id)

    async def may_type(self, caller: Caller, pending_id: str) -> Pending:
        """Return what there is to type for; raises what `typed` would."""
        return await answering.to_be_typed(self._hands, caller, pending_id)

    async def anyway(self, caller: Caller, pending_id: str) -> Acted:
        """Go on over a red branch."""
        return await answering.anyway(self._hands, caller, pending_id)

    async def beside(self, caller: Caller, pending_id: str) -> Acted:
        """Go on beside the deploy of somebody else."""
        return await answering.beside(self._hands, caller, pending_id)

    async def typed(self, caller: Caller, pending_id: str, text: str) -> Answered:
        """Go on once the target was typed."""
        return await answering.typed(self._hands, caller, pending_id, text)

    async def rerun(
        self,
        caller: Caller,
        pipeline_id: PipelineId,
        *,
        failed_only: bool,
        ssh: bool = False,
        attempt: str = "",
        workflows: tuple[str, ...] = (),
    ) -> Acted:
        """Run workflows of a pipeline again, and let the place it is asked in follow it, pressed or typed.

        With `attempt`, the mark of what a message shows, nothing of a later one; with some `workflows`, these alone.
        """
        wish = await rerun.wished(self._hands, pipeline_id, failed_only=failed_only, ssh=ssh)
        wish = wish.model_copy(update={"workflows": workflows})
        return await rerun.rerun(self._hands, caller, wish, attempt=attempt)

    async def rerun_once(self, pipeline_id: PipelineId, fingerprint: str) -> None:
        """Rerun by ourselves what failed in this attempt, where the project's setting lets us."""
        await rerun.rerun_once(self._hands, pipeline_id, fingerprint)

    async def cancel(self, caller: Caller, pipeline_id: PipelineId, *, reruns: int | None = None) -> Acted:
        """Cancel all of a build that is not finished; with `reruns`, unless it has run again since it had so often."""
        return await cancel.cancel(self._hands, caller, pipeline_id, reruns)

    async def take_back(self, caller: Caller, attempt_id: str) -> Acted:
        """Let a deploy of one's own that waits for its turn at CircleCI not be sent."""
        return await taking_back.take_back(self._hands, caller, attempt_id)

    async def cancel_job(self, caller: Caller, slug: ProjectSlug, number: int) -> Acted:
        """Cancel one job."""
        return await cancel.cancel_job(self._hands, caller, slug, number)

    async def approve(self, caller: Caller, pipeline_id: PipelineId, approval_request_id: str) -> Acted:
        """Let a job on hold go on."""
        wish = await approve.wished(self._hands, pipeline_id, approval_request_id)
        return await approve.approve(self._hands, caller, wish)

    async def watch(self, caller: Caller, pipeline: Pipeline, *, is_named: bool) -> Acted:
        """Follow a build where it is asked: one that `is_named` itself, or the newest of its branch."""
        return await following.watch(self._hands, caller, pipeline, is_named=is_named)

    async def unwatch(self, caller: Caller, pipeline: Pipeline) -> Acted:
        """Follow it there no more."""
        return await following.unwatch(self._hands, caller, pipeline)

    async def use(self, caller: Caller, project: Project, ref: Ref | None) -> ChannelUses:
        """Let the channel they speak in use a project, where nobody names one."""
        return await using.use(self._hands, caller, project, ref)

    async def use_nothing(self, caller: Caller) -> ChannelUses:
        """Let the channel use none."""
        return await using.use_nothing(self._hands, caller)

    async def subscribe(
        self,
        caller: Caller,
        project: Project,
        wish: Wish,
        unbuilt: Sequence[str] = (),
        unseen: Unseen | None = None,
    ) -> Subscribed:
        """Let the channel they speak in hear of a project's branches."""
        return await subscribing.subscribe(self._hands, caller, project, wish, unbuilt, unseen)

    async def subscribe_to_all(
        self, caller: Caller, pattern: str, wish: Wish, found: Sequence[Fitting], *, is_all: bool = True
    ) -> Subscribed:
        """Let a channel hear of all projects that a pattern means."""
        return await subscribing.subscribe_to_all(self._hands, caller, pattern, wish, found, is_all=is_all)

    async def unsubscribe(self, caller: Caller, subscription: Subscription) -> Subscribed:
        """Let it hear of them no more."""
        return await subscribing.unsubscribe(self._hands, caller, subscription)

    async def begun_to_end(self, caller: Caller) -> Subscription | None:
        """Return what a run of this delivery before has begun to let it hear no more."""
        return await subscribing.begun_to_end(self._hands, caller)

    async def lock(
        self, caller: Caller, project: Project, ref: Ref | None, reason: str, until: datetime | None = None
    ) -> LockChanged:
        """Keep others from deploying a project or a branch, until then if that is said."""
        return await locks.lock(self._hands, caller, project, ref, reason, until)

    async def unlock(self, caller: Caller, key: str) -> LockChanged:
        """Let others deploy it again, whoever keeps them from it."""
        return await locks.unlock(self._hands, caller, key)

    async def unlock_seen(self, caller: Caller, button: Unlock) -> LockChanged:
        """Let others deploy it again, unless it is another lock by now than the one the button is about."""
        return await locks.unlock(self._hands, caller, button.key, button)

    async def take_lock(self, caller: Caller, button: TakeLock) -> LockChanged:
        """Take a lock over from who holds it."""
        return await locks.take(self._hands, caller, button)

    async def ask_holder(self, caller: Caller, button: AskHolder) -> LockChanged:
        """Tell who holds a lock that somebody waits."""
        return await locks.ask_holder(self._hands, caller, button)

    async def tell_when_free(self, caller: Caller, button: TellWhenFree) -> WillTell:
        """Tell somebody, once, when a lock that stopped them is over."""
        return await lock_news.wait(self._hands, caller, button)

    async def look_at(self, caller: Caller, button: LookAt) -> Acted:
        """Say for a channel who looks at a branch that is red."""
        return await looking.look_at(self._hands, caller, button)

    async def snooze(  # which branch it is, and how long
        self, caller: Caller, slug: ProjectSlug, title: str, ref: Ref | None, until: datetime | None
    ) -> Snoozed:
        """Let a channel hear nothing of a red branch until then; None ends that."""
        return await snoozing.snooze(self._hands, caller, Subject(slug, title, ref), until)

    async def snooze_pressed(
        self, caller: Caller, button: SnoozeForm | EndSnooze, until: datetime | None = None
    ) -> Snoozed:
        """Do the same by a button of its message."""
        return await snoozing.pressed(self._hands, caller, button, until)

    async def may_snooze(self, caller: Caller, button: SnoozeForm) -> None:
        """Raise what `snooze_pressed` would, as far as that is known."""
        await snoozing.may(self._hands, caller, button)

    async def end_lock(self, key: str) -> timedelta | None:
        """Say of a lock that it is over; returns the pause before that where it holds still."""
        return await lock_news.end(self._hands, key)

    async def set_variable(self, caller: Caller, slug: ProjectSlug, name: str, value: SecretStr) -> Acted:
        """Set an environment variable."""
        return await keeps.set_variable(self._hands, caller, slug, name, value)

    async def remove_variable(self, caller: Caller, slug: ProjectSlug, name: str) -> Acted:
        """Remove an environment variable."""
        return await keeps.remove_variable(self._hands, caller, slug, name)

    async def add_checkout_key(self, caller: Caller, slug: ProjectSlug, kind: str) -> KeyAdded:
        """Have a checkout key made."""
        return await keeps.add_checkout_key(self._hands, caller, slug, kind)

    async def remove_checkout_key(self, caller: Caller, slug: ProjectSlug, fingerprint: str) -> Acted:
        """Remove a checkout key."""
        return await keeps.remove_checkout_key(self._hands, caller, slug, fingerprint)

    async def add_ssh_key(self, caller: Caller, slug: ProjectSlug, hostname: str, key: SecretStr) -> Acted:
        """Let builds log in to a host."""
        return await keeps.add_ssh_key(self._hands, caller, slug, hostname, key)

    async def add_heroku_key(self, caller: Caller, key: SecretStr) -> Acted:
        """Give our user on CircleCI a Heroku key."""
        return await keeps.add_heroku_key(self._hands, caller, key)

    async def clear_cache(self, caller: Caller, slug: ProjectSlug) -> Acted:
        """Clear a project's dependency caches."""
        return await keeps.clear_cache(self._hands, caller, slug)

    async def may_add_agent(self, caller: Caller, form: AgentForm) -> None:
        """Raise what `add_agent` would, as far as that is known."""
        await agents.may_add(self._hands, caller, form)

    async def add_agent(self, caller: Caller, form: AgentForm) -> AgentMade:
        """Make an agent, and return its token, which is kept nowhere."""
        return await agents.add(self._hands, caller, form)

    async def remove_agent(self, caller: Caller, button: RemoveAgent) -> Acted:
        """Make an agent's token good for nothing."""
        return await agents.remove(self._hands, caller, button)

    async def add_webhook(self, caller: Caller, project: Project, address: str, secret: SecretStr) -> Acted:
        """Have CircleCI tell us of a project's builds."""
        return await keeps.add_webhook(self._hands, caller, project, address, secret)

    async def look_for(self, attempt_id: str) -> timedelta | None:
        """Look for the pipeline of a trigger whose answer was lost; returns the pause before the next look."""
        return await sending.look_for(self._hands, attempt_id)

    async def look_after(self, lost_id: str) -> timedelta | None:
        """Look what became of an act whose answer was lost; returns the pause before the next look."""
        return await lost.look(self._hands, lost_id)

    async def expire(self, pending_id: str) -> timedelta | None:
        """End what waited for a second person in vain; returns the pause before it is to be looked at once more."""
        return await deciding.expire(self._hands, pending_id)
