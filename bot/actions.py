"""Typed button values: a class packs itself into a Slack button and unpacks itself from a click."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from bot.errors import UsageError
from bot.models import agent

VARIABLE_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
VariableName = Annotated[str, Field(max_length=500, pattern=f"^{VARIABLE_NAME}$")]
MAX_VALUE_LENGTH = 2000  # https://docs.slack.dev/reference/block-kit/block-elements/button-element


class ButtonAction(BaseModel):
    """What a button does, with the ids it needs; `action_id` is Slack's name for it."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    action_id: ClassVar[str]

    def pack(self) -> str:
        """Return the button's value; too long is a programmer's error."""
        value = self.model_dump_json(exclude_defaults=True)
        if len(value) > MAX_VALUE_LENGTH:
            raise ValueError(f"{self.action_id}: value of {len(value)} characters")
        return value

    @property
    def fits(self) -> bool:
        """Say whether a button can carry it; how long it is in JSON is another thing than how long it was typed."""
        return len(self.model_dump_json(exclude_defaults=True)) <= MAX_VALUE_LENGTH

    @property
    def project(self) -> str:
        """The slug of the project it names, empty text where it names none: what it is about is looked up by id."""
        return str(getattr(self, "project_slug", ""))

    @property
    def asks_itself(self) -> bool:
        """Say whether the door lets it pass: what it is about is known to the act alone, which asks."""
        return False

    def takes(self, permission: str) -> str:
        """Return the word that this press takes; `permission` is what buttons of its kind take."""
        return permission

    @classmethod
    def unpack(cls, value: str) -> Self:
        """Return the action a click carries, or a UsageError for a value of another time or hand."""
        try:
            return cls.model_validate_json(value)
        except ValidationError as error:
            raise UsageError("This button is from an older version of me.") from error


class CancelPipeline(ButtonAction):
    """*Cancel #2417*: every workflow of the pipeline that is not finished, as long as it had run again so often."""

    action_id: ClassVar[str] = "cancel_pipeline"
    pipeline_id: str
    reruns: int | None = None


class TakeBack(ButtonAction):
    """*Do not deploy it*: a deploy of one's own that waits for its turn at CircleCI."""

    action_id: ClassVar[str] = "take_back"
    attempt_id: str

    @property
    def asks_itself(self) -> bool:
        """Let the act ask whose it is: what they asked for, they take back wherever they are."""
        return True


class CancelJob(ButtonAction):
    """*Cancel unit-tests (1842)*: one job that runs."""

    action_id: ClassVar[str] = "cancel_job"
    project_slug: str
    job_number: int


class RerunFailed(ButtonAction):
    """*Rerun failed*: the failed workflows of the pipeline, from their failed jobs, of the `attempt` that is shown.

    `newer` is the number of the newest build of its branch or tag that its dialog names. With `ssh` the jobs are opened
    to it. Where a message shows some `workflows` alone, it is about these, and so is the attempt.
    """

    action_id: ClassVar[str] = "rerun_failed"
    pipeline_id: str
    attempt: str = ""
    newer: int = 0
    ssh: bool = False
    workflows: tuple[str, ...] = ()


class RerunAll(ButtonAction):
    """*Rerun all*: every workflow of the `attempt` from its first job; `newer` as above."""

    action_id: ClassVar[str] = "rerun_all"
    pipeline_id: str
    attempt: str = ""
    newer: int = 0


class ApproveJob(ButtonAction):
    """*Approve hold-prod*: one approval job of one workflow; `newer` as above."""

    action_id: ClassVar[str] = "approve_job"
    pipeline_id: str
    workflow_id: str
    approval_request_id: str
    job_name: str = ""
    newer: int = 0


class ShowLog(ButtonAction):
    """*Show log*: the tail of the failing steps, to the one who asks; `attempt` marks the one its message is about.

    Where that shows some `workflows` alone, it is about these.
    """

    action_id: ClassVar[str] = "show_log"
    pipeline_id: str
    attempt: str = ""
    workflows: tuple[str, ...] = ()


class SendLog(ButtonAction):
    """*Post the whole log here*: a step's log, cleaned and masked, into the thread."""

    action_id: ClassVar[str] = "send_log"
    project_slug: str
    job_number: int
    step: str = ""


class ShowTests(ButtonAction):
    """*Show all 57 failures*: the failing tests that did not fit; `attempt` as above."""

    action_id: ClassVar[str] = "show_tests"
    pipeline_id: str
    attempt: str = ""


class ShowArtifacts(ButtonAction):
    """*Artifacts*: the list of files, to the one who asks."""

    action_id: ClassVar[str] = "show_artifacts"
    pipeline_id: str


class RunCommand(ButtonAction):
    """A corrected command offered as a button, and *Deploy again*: the text as it would be typed.

    With a `channel_id` it is carried out there and not where it is pressed, if who presses is in that channel. Where it
    is the answer to a question, that was `asked` by this delivery, and is answered once, whichever of its buttons is
    pressed; with `directly`, who presses hears in direct messages what comes of it, and with `unbuilt` they mean a
    branch that CircleCI never built. What is asked for `alone` stands here already, shortened: who presses wants all of
    it, and not to share it.
    """

    action_id: ClassVar[str] = "run_command"
    text: str
    channel_id: str = ""
    asked: str = ""
    directly: bool = False
    unbuilt: bool = False
    alone: bool = False


class ShareAnswer(RunCommand):
    """*Share here*: what was asked for, as it would be typed; `asked` names the answer that bears the button.

    It is asked for anew: what is shared is true then, whoever shares it may read it then, and nothing of an answer is
    kept meanwhile, in Redis or in the button, be it a secret or not.
    """

    action_id: ClassVar[str] = "share_answer"
    asked: str


class InviteMe(ButtonAction):
    """*Invite me*: how to have us in a channel, before the line is carried out that was `asked` there.

    `names` is what it is about, and `target` what of that its button names.
    """

    action_id: ClassVar[str] = "invite_me"
    text: str
    names: str = ""
    target: str = ""
    asked: str = ""


class ChooseDefinition(ButtonAction):
    """Which of a project's pipeline definitions a deploy uses."""

    action_id: ClassVar[str] = "choose_definition"
    invocation_id: str
    definition_id: str


class VariableForm(ButtonAction):
    """*Type the value*: the form for an environment variable."""

    action_id: ClassVar[str] = "variable_form"
    project_slug: str
    name: VariableName


class RemoveVariable(ButtonAction):
    """*Remove DEPLOY_TOKEN*: an environment variable of a project."""

    action_id: ClassVar[str] = "remove_variable"
    project_slug: str
    name: VariableName


class AgentForm(ButtonAction):
    """*Make the agent*: the window in which an agent is made, and its token shown."""

    action_id: ClassVar[str] = "agent_form"
    name: agent.Name
    channel_id: str
    own: bool = False
    words: agent.Words = agent.WORDS
    days: agent.Days

    def takes(self, permission: str) -> str:
        """Return what it takes: one that stands on its own is made by who looks after the bot."""
        return "admin" if self.own else permission


class RemoveAgent(ButtonAction):
    """*Remove laptop*: the agent of this name that was made at this moment, and no later one."""

    action_id: ClassVar[str] = "remove_agent"
    name: agent.Name
    made_at: AwareDatetime


class AddCheckoutKey(ButtonAction):
    """*Add deploy-key*: CircleCI makes a checkout key."""

    action_id: ClassVar[str] = "add_checkout_key"
    project_slug: str
    kind: str


class RemoveCheckoutKey(ButtonAction):
    """*Remove it*: one checkout key."""

    action_id: ClassVar[str] = "remove_checkout_key"
    project_slug: str
    fingerprint: str


class SshKeyForm(ButtonAction):
    """*Paste the key*: the form for an SSH key of a project's builds."""

    action_id: ClassVar[str] = "ssh_key_form"
    project_slug: str


class HerokuForm(ButtonAction):
    """*Paste the key*: the form for the Heroku key of our user."""

    action_id: ClassVar[str] = "heroku_form"


class ClearCache(ButtonAction):
    """*Clear the caches*: the dependency caches of a project."""

    action_id: ClassVar[str] = "clear_cache"
    project_slug: str


class AddWebhook(ButtonAction):
    """*Set it up*: CircleCI's webhook for a project."""

    action_id: ClassVar[str] = "add_webhook"
    project_slug: str


class Unlock(ButtonAction):
    """*Unlock*: the lock that `holder_id` has held `since` then; buttons of earlier versions name its place alone.

    `changes` is how often its reason or its end had been changed; earlier versions do not say.
    """

    action_id: ClassVar[str] = "unlock"
    key: str
    holder_id: str = ""
    since: str = ""
    changes: int | None = None


class TakeLock(ButtonAction):
    """*Take over*: the lock that `holder_id` has held `since` then; buttons of earlier versions do not say when.

    `changes` is as above, `again` the command that it stopped, if that can be carried. `reason` and `until` are what
    who presses had given with a lock of their own; what is not given stays as it is, and buttons of earlier versions
    give neither.
    """

    action_id: ClassVar[str] = "take_lock"
    key: str
    holder_id: str
    since: str = ""
    changes: int | None = None
    again: str = ""
    reason: str = ""
    until: AwareDatetime | None = None


class AskHolder(ButtonAction):
    """*Ask for it*: a word to who holds a lock; `again` is the command that it stopped, if that can be carried."""

    action_id: ClassVar[str] = "ask_holder"
    key: str
    holder_id: str
    again: str = ""


class TellWhenFree(ButtonAction):
    """*Tell me when it ends*: a word to who pressed, once a lock is over; `again` is as above."""

    action_id: ClassVar[str] = "tell_when_free"
    key: str
    again: str = ""


class LookAt(ButtonAction):
    """*I look at it*: that somebody looks at a branch which is red since the build of this number."""

    action_id: ClassVar[str] = "look_at"
    project_slug: str
    branch: str
    since: int


class SnoozeForm(ButtonAction):
    """*Snooze*: how long a channel wants to hear nothing of a branch which is red since the build of this number."""

    action_id: ClassVar[str] = "snooze"
    project_slug: str
    branch: str
    since: int


class EndSnooze(ButtonAction):
    """*End the snooze*: that a channel hears of such a branch again."""

    action_id: ClassVar[str] = "end_snooze"
    project_slug: str
    branch: str
    since: int


class EndSubscription(ButtonAction):
    """*Unsubscribe*: that a channel hears no more of what this subscription of it is about, by its mark.

    One that was begun anew is another.
    """

    action_id: ClassVar[str] = "end_subscription"
    mark: str


class _OfQuestion(BaseModel):
    """An answer to what an act waits for, which takes the `word` that the act itself takes."""

    attempt_id: str
    word: Literal["deploy", "rerun", "approve", "cancel"] = "deploy"

    @property
    def asks_itself(self) -> bool:
        """Let the act that waits ask, with what it is about."""
        return True

    def takes(self, permission: str) -> str:  # noqa: ARG002  # it depends on what waits
        """Return the word of the act that waits."""
        return self.word


class AgreeDeploy(_OfQuestion, ButtonAction):
    """*Agree and deploy*: the second person's word to what its message has `shown`; earlier versions do not say."""

    action_id: ClassVar[str] = "agree_deploy"
    shown: str = ""


class DeclineDeploy(_OfQuestion, ButtonAction):
    """*Decline*: the form for the reason."""

    action_id: ClassVar[str] = "decline_deploy"


class DeployAnyway(ButtonAction):
    """*Deploy all the same*: over a branch that is red."""

    action_id: ClassVar[str] = "deploy_anyway"
    attempt_id: str


class DeployBeside(ButtonAction):
    """*Deploy it all the same*: beside the deploy of somebody else."""

    action_id: ClassVar[str] = "deploy_beside"
    attempt_id: str


class TypeTarget(_OfQuestion, ButtonAction):
    """*Type it*: the form for the branch or tag that is about to be deployed."""

    action_id: ClassVar[str] = "type_target"


class OpenLink(ButtonAction):
    """A button that opens an address: Slack reports the press, and nothing is to be done (`bot/slack/payloads.py`)."""

    action_id: ClassVar[str] = "open_link"
