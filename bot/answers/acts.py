"""What was done."""

from bot.answers import Answer
from bot.models.attempt import Attempt
from bot.models.audit import Entry
from bot.models.circleci import PipelineId, ProjectSlug, Ref
from bot.models.classic import CheckoutKey
from bot.models.lock import Lock

# That the answer to a deploy was lost is told to who asked, as is what was found then.
OF_BUILDS = frozenset({"cancel", "cancel_job", "approve", "rerun_failed", "rerun_all", "unwatch"})
NEWS = frozenset({"lock", "lock_again", "unlock"})


class Acted(Answer):
    """Something was done: `act` names it, `what` on what, such as the names of jobs or of a variable.

    `told` says that a thread or a message has it, so that nobody needs an answer; `pressed` that it was done by a
    button. `entry` is what the record keeps.
    """

    act: str
    project_slug: ProjectSlug = ProjectSlug("")
    project_title: str = ""
    ref: Ref | None = None
    pipeline_id: PipelineId | None = None
    pipeline_number: int | None = None
    what: str = ""
    detail: str = ""
    told: bool = False
    pressed: bool = False
    entry: Entry

    @property
    def is_for_all(self) -> bool:
        """Let everybody see what becomes of builds; what becomes of secrets, keys and webhooks nobody else."""
        return self.act in OF_BUILDS


class NotSentYet(Answer):
    """Deploys of who asks that wait for their turn at CircleCI, the newest first: each can be taken back."""

    deploys: tuple[Attempt, ...]


class LockChanged(Answer):
    """A lock was set, taken over, lifted or asked for, as `act` says: `lock` is how it stands, or stood.

    `before` is what it was, where its holder locked it again. `again` is the command that it had stopped. `still` is
    another lock that keeps others from it. A branch may be `unbuilt` at CircleCI; `near` is one that is spelled alike.
    What CircleCI was not heard of in time is locked `as_spelled`.
    Who holds it may have been `asked_before`; who asked `waits` to be told when it is over. `notes` are what is to be
    said of how its end was read; `unsent` are deploys of its holder's own that wait for their turn at CircleCI. It is
    `unheard` where the channel could not be told, and `untold` where who holds or held it could not, by direct message.
    """

    act: str
    lock: Lock
    asked_before: bool = False
    waits: bool = False
    before: Lock | None = None
    again: str = ""
    still: Lock | None = None
    unbuilt: bool = False
    as_spelled: bool = False
    near: str = ""
    notes: tuple[str, ...] = ()
    unsent: tuple[Attempt, ...] = ()
    unheard: bool = False
    untold: bool = False
    entry: Entry

    @property
    def is_for_all(self) -> bool:
        """Let everybody see what there is to add to what the channel is told of it."""
        is_news = self.act in NEWS and not (self.act == "lock_again" and self.lock == self.before)
        return is_news and not self.unheard


class KeyAdded(Answer):
    """CircleCI made a checkout key for a project."""

    project_slug: ProjectSlug
    key: CheckoutKey
    entry: Entry


class Answered(Answer):
    """A question was answered, and nothing is started by that: `answer` is what was said to it."""

    answer: str
