"""What can go wrong, as a tree of exceptions that carry data.

BotError
├─ UserError               the person can fix it: words, no log noise
│  ├─ UsageError           bad or missing argument (command, usage, near miss)
│  │  ├─ WhichJob          the jobs that may be meant
│  │  └─ Sentence          what may be meant by a sentence, of which nothing is carried out as it stands
│  ├─ NotFound             project, branch, build (what, name, where it was looked for)
│  │  └─ Unbuilt           a branch that may be there all the same, and how to have it deployed
│  ├─ NotAllowed           who, word, the rule that decided
│  ├─ Locked               target, holder, reason, age
│  ├─ Slip                 what stands in a window's field, and why it cannot be taken
│  ├─ Taken                who was first, and at what
│  ├─ TooMany              how many questions of theirs are open, and how many are answered at a time
│  ├─ AskedAlready         who asked for the same, when, and where it waits
│  ├─ ForAPerson           what an agent cannot answer, and how a person asks for the same
│  └─ NothingToDo          why, such as that it has ended already
│     ├─ NothingToCancelYet  of which build, so that the same can be pressed once more
│     └─ Unheard             what nobody would be told of where it was asked for
├─ CircleCIError           the far side: the user is told, the operator logs
│  ├─ Unauthorized         the token is wrong, too weak or expired
│  ├─ RateLimited          retry_after
│  │  └─ Spent             we ourselves may not ask more often
│  ├─ Rejected             4xx with CircleCI's own words
│  ├─ NotTriggered         2xx, but nothing was started, and why
│  ├─ PartlyDone           one of several writes failed, after others were done
│  └─ Unavailable          5xx, time-out, no network, an answer nobody can read
│     ├─ TooLarge          an answer of more megabytes than are read
│     ├─ NameUntold        what a rule or a lock calls a project, which may be this one
│     └─ Elsewhere         an address that CircleCI names and nothing is read from
├─ SlackError              Slack said no, and the code it gave
│  ├─ SlackLimited         429; retry_after
│  ├─ NotAsked             nobody could be asked to agree, so nothing was sent
│  ├─ NotHeard             nobody would hear how it goes, so nothing was sent
│  └─ Unreachable          neither a watch's place nor its person takes anything from us
├─ StoreError              Redis away: nothing is started that could not be followed
└─ Unreadable              a record that another version of the bot wrote

Prose for each is in `formatters/errors.py`, nowhere else.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta


class BotError(Exception):
    """Anything we expected might happen."""


class UserError(BotError):
    """Something the person who asked can put right."""


class UsageError(UserError):
    """A word or an argument that cannot be understood.

    `problem` is a short sentence about `given`; `command` names the command it belongs to, when there is one;
    `did_you_mean` is a whole corrected command line, and `repaired` one in which other words stand in the place of one.
    """

    repaired = ""

    def __init__(
        self, problem: str, *, given: str = "", command: str | None = None, did_you_mean: str | None = None
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.given = given
        self.command = command
        self.did_you_mean = did_you_mean


class Sentence(UsageError):
    """A line in plain words, for which nothing is done as it stands: `lines` are the commands that it may mean.

    It `is_sure` where it can only mean the `command`; without a line the project or the branch is missing.
    `did_you_mean` is the line of one that only begins with another word for it, `refused` why what it means cannot be
    carried out. `end` are words for the end of a lock that nobody can read, `place` those for an environment, `later`
    those for another time than now, `unsaid` those that narrow what is meant, and that no line says.
    """

    end = place = later = unsaid = ""
    refused: UsageError | None = None

    def __init__(
        self,
        command: str,
        lines: tuple[str, ...] = (),
        *,
        is_sure: bool = False,
        given: str = "",
        did_you_mean: str | None = None,
    ) -> None:
        problem = "I do nothing on another word for it." if is_sure else "I am not sure what you mean."
        super().__init__(problem, given=given, command=command, did_you_mean=did_you_mean)
        self.lines = lines
        self.is_sure = is_sure


class WhichJob(UsageError):
    """Several `jobs` of the build `number` may be meant, each a name and a number: those that `failed`, or all."""

    def __init__(
        self, problem: str, *, project: str, number: int, jobs: tuple[tuple[str, int], ...], failed: bool
    ) -> None:
        super().__init__(problem)
        self.project = project
        self.number = number
        self.jobs = jobs
        self.failed = failed


class NotFound(UserError):
    """CircleCI does not know `what` by this `name`, or the token may not see it (it answers 404 to both).

    `built_lately` are branches that exist, newest first, for a branch that does not; `line` is the one in full that led
    there, where what was typed names no project.
    """

    line = ""

    def __init__(self, what: str, name: str, *, looked_in: str = "", built_lately: tuple[str, ...] = ()) -> None:
        super().__init__(f"{what} {name}")
        self.what = what
        self.name = name
        self.looked_in = looked_in
        self.built_lately = built_lately


class Unbuilt(NotFound):
    """A branch that CircleCI has built nothing of so far; it may have of some that are spelled `alike`.

    It may be there all the same: `again` is the line that means it, told `directly` where that was wished.
    """

    def __init__(self, name: str, *, looked_in: str, alike: tuple[str, ...], again: str, directly: bool) -> None:
        super().__init__("branch", name, looked_in=looked_in, built_lately=alike)
        self.again = again
        self.directly = directly


class NotAllowed(UserError):
    """`user_id` may not do what `word` permits, `about` a project and a branch or anything, because of `rule`.

    `is_of_another` says that this is not who is told, but who asked for what they let happen; `act` is what they did,
    where it goes by another name than the word; `agent` is the program that asked for them, or on its `own`. `project`,
    `branch` and `tag` are what it is about, as they can be asked about again.
    """

    is_of_another = False
    act = ""
    agent = ""
    own = False
    project = branch = tag = ""

    def __init__(self, user_id: str, word: str, rule: str, *, about: str = "") -> None:
        super().__init__(f"{user_id} may not {word} {about}: {rule}")
        self.user_id = user_id
        self.word = word
        self.about = about
        self.rule = rule


class Locked(UserError):
    """`target` is kept from others by `holder_id`, since `age`, because of `reason`; `key` names the lock.

    `word` is what it kept somebody from, `again` the command that asks for the same, and `at` when it was set; it ends
    `until` then, if that is known, and `changes` is how often its reason or its end was changed. Who was to `unlock` or
    take over another lock than this one is told so, or that it `is_changed` since; it `is_own` where it is theirs.
    `own_reason` and `own_until` are what they gave who would have locked it. Other locks
    may keep them from it too, each as one of `others`. It `is_hidden` from who is denied to look at what it is on: they
    read nothing of it.
    """

    at: datetime | None = None
    until: datetime | None = None
    changes: int | None = None
    is_changed = False
    is_own = False
    own_reason = ""
    own_until: datetime | None = None
    others: "tuple[Locked, ...]" = ()
    is_hidden = False

    def __init__(  # what its words and buttons need
        self,
        target: str,
        *,
        key: str,
        holder_id: str,
        reason: str,
        age: timedelta,
        word: str = "deploy",
        again: str = "",
    ) -> None:
        super().__init__(f"{target} is locked by {holder_id}")
        self.target = target
        self.key = key
        self.holder_id = holder_id
        self.reason = reason
        self.age = age
        self.word = word
        self.again = again


class Slip(UserError):
    """What stands in the `field` of a window cannot be taken: the window stays open, and what it answers waits on.

    `why` is one of formatters/forms.py, with `what` its words need.
    """

    def __init__(self, field: str, why: str, *, what: str = "") -> None:
        super().__init__(f"{field}: {why}")
        self.field = field
        self.why = why
        self.what = what


class Taken(UserError):
    """Somebody else, `person_id`, was first at `what`: it is under way. Nobody's name means the bot itself.

    `number` is the pipeline that came of it, if that is known; `is_own` says that who is told was first themselves,
    `is_past` that it is not under way any more.
    """

    is_past = False

    def __init__(self, person_id: str, what: str, *, number: int = 0, is_own: bool = False) -> None:
        super().__init__(f"{person_id} was first: {what}")
        self.person_id = person_id
        self.what = what
        self.number = number
        self.is_own = is_own


def as_told_to(error: Exception, person_id: str) -> None:
    """Let an error that names who did it know whether that is who is told: nobody reads of themselves by name."""
    if isinstance(error, Taken | NothingToDo | AskedAlready) and error.person_id == person_id:
        error.is_own = True


class TooMany(UserError):
    """So many questions of one person are `still_open`, of which `at_once` are being answered."""

    def __init__(self, still_open: int, at_once: int) -> None:
        super().__init__(f"{still_open} questions are open")
        self.still_open = still_open
        self.at_once = at_once


class AskedAlready(UserError):
    """`person_id` asked for the same, `what`, at `asked_at`, and it waits for somebody; `url` leads there, if known.

    It `is_own` where who is told asked for it themselves. `pending_id` is what waits, and `asker` what to call an agent
    that asked for it; it `takes_two` where its owner cannot let it happen. What an agent did by itself already is kept
    under the id that it `repeats`.
    """

    is_own = False
    pending_id = asker = repeats = ""
    takes_two = True

    def __init__(self, person_id: str, what: str, *, asked_at: datetime, url: str) -> None:
        super().__init__(f"{person_id} asked for {what}")
        self.person_id = person_id
        self.what = what
        self.asked_at = asked_at
        self.url = url


class ForAPerson(UserError):
    """An agent asked for `what`, and a question stands before it that a person alone can answer; nobody was asked it.

    `demand` is what it is about: one of `Demand`, `definition`, `unbuilt`, `ssh` or `act`. With `line` a person asks
    for the same. `among` are the names that could have been given instead, of pipeline definitions or branches. Of
    another deploy in the way `number` is the pipeline, if there is one, and `by` who asked for it.
    """

    number = 0
    by = ""

    def __init__(self, demand: str, what: str, line: str, *, among: tuple[str, ...] = ()) -> None:
        super().__init__(f"{demand}: {what}")
        self.demand = demand
        self.what = what
        self.line = line
        self.among = among


class NothingToDo(UserError):
    """It is so already, or cannot be done: `why` is one of formatters/nothing.py, with what its words need.

    `again` is a command that can be given now; `ago` is how long it has been over, where it is; it `is_own` where who
    is told did it themselves.
    """

    ago: timedelta | None = None
    is_own = False

    def __init__(  # what its words need
        self, why: str, *, what: str = "", number: int = 0, state: str = "", person_id: str = "", again: str = ""
    ) -> None:
        super().__init__(f"{why} {what}".strip())
        self.why = why
        self.what = what
        self.number = number
        self.state = state
        self.person_id = person_id
        self.again = again


class NothingToCancelYet(NothingToDo):
    """CircleCI has begun no workflow of a build so far: the same can be pressed once it has."""

    def __init__(self, pipeline_id: str, number: int, title: str, ref: str, reruns: int) -> None:
        super().__init__("nothing_to_cancel_yet", number=number)
        self.pipeline_id = pipeline_id
        self.title = title
        self.ref = ref
        self.reruns = reruns


class Unheard(NothingToDo):
    """We are not in the channel in which the line `again` was typed, so nobody would hear how it goes.

    It is about what `names` say, of which `target` is the branch, the tag or the build; `asked` is the delivery that
    was asked first whether to go on. What `is_between_two` people nobody can invite us to; what `takes_two` somebody
    else must agree to, who can only do so in a channel. It `is_hidden` from who asks where they would be told alone:
    they may not look at it there.
    """

    is_between_two = False
    takes_two = False
    is_hidden = False

    def __init__(self, line: str, what: str, *, names: str, target: str, asked: str) -> None:
        super().__init__("nobody_hears", what=what, again=line)
        self.names = names
        self.target = target
        self.asked = asked


class CircleCIError(BotError):
    """CircleCI did not do what was asked; `of_read` says that it was only asked to tell something."""

    of_read = False


@contextmanager
def reading() -> Iterator[None]:
    """Say of CircleCI's errors within the block that nothing but a read has failed."""
    try:
        yield
    except CircleCIError as error:
        error.of_read = True
        raise


class Unauthorized(CircleCIError):
    """401: the token is wrong, expired or of the wrong kind; `token` names whose it is, empty for the default one.

    `is_told` says that the operator has been told.
    """

    token = ""
    is_told = False


class RateLimited(CircleCIError):
    """429; `retry_after` is what CircleCI asks for, or our own guess when it does not say."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__(f"rate limited for {retry_after}")
        self.retry_after = retry_after


class Spent(RateLimited):
    """Our own budget for CircleCI is spent; nothing was sent."""


class Rejected(CircleCIError):
    """Any other 4xx, with CircleCI's own `message`; never contains a URL's query or a token."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message

    @property
    def is_gone(self) -> bool:
        """Say whether it is not there, or not any more; CircleCI says so too of what the token may not see."""
        return self.status in (404, 410)


class NotTriggered(CircleCIError):
    """A 2xx that started nothing; `reason` is CircleCI's message."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PartlyDone(CircleCIError):
    """Several things were asked for: `done` names those that CircleCI took before `error` stopped the rest."""

    def __init__(self, error: "CircleCIError | Locked | NotAllowed", done: str) -> None:
        super().__init__(f"{done}; then {error!r}")
        self.error = error
        self.done = done


class Unavailable(CircleCIError):
    """5xx, a time-out, no network or an unreadable answer.

    `arrived` is False only when the request surely never reached CircleCI, so that a write may be sent again. One that
    `is_looked_for` is followed by a word of what became of it.
    """

    is_looked_for = False

    def __init__(self, reason: str, *, arrived: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.arrived = arrived


class TooLarge(Unavailable):
    """An answer of more than `megabytes`, which are as many as are read."""

    def __init__(self, megabytes: int) -> None:
        super().__init__(f"an answer that is larger than {megabytes} MB")
        self.megabytes = megabytes


class Elsewhere(Unavailable):
    """Nothing was asked: `host` is named by CircleCI, and `why` says why nothing is read from there."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(f"{host} is {why}, and I read nothing from there", arrived=False)
        self.host = host
        self.why = why


class NameUntold(Unavailable):
    """Nothing was done: whether `about` is what a `rule` calls `name`, or without one a lock, CircleCI does not tell.

    `said` is what it says instead.
    """

    def __init__(self, name: str, about: str, cause: Exception | None, *, rule: str = "") -> None:
        super().__init__(f"whether {about} is {name} is not told: {cause}", arrived=False)
        self.name = name
        self.about = about
        self.rule = rule
        self.said = cause.reason if isinstance(cause, Unavailable) else str(cause)


def did_nothing(error: BaseException) -> bool:
    """Say whether an error surely left everything as it was."""
    if isinstance(error, PartlyDone):
        return False
    if isinstance(error, Unavailable):
        return not error.arrived
    return isinstance(error, UserError | CircleCIError | SlackError)


class SlackError(BotError):
    """Slack answered `ok: false` with `code` to `method`; `lost` when no answer says whether it took the call."""

    def __init__(self, method: str, code: str, *, lost: bool = False) -> None:
        super().__init__(f"{method}: {code}")
        self.method = method
        self.code = code
        self.lost = lost


class SlackLimited(SlackError):
    """Slack answered 429 and asks to wait longer than a caller should stand still."""

    def __init__(self, method: str, retry_after: timedelta) -> None:
        super().__init__(method, "ratelimited")
        self.retry_after = retry_after


class NotAsked(SlackError):
    """Slack did not take the request for a second person, so that nothing was sent to CircleCI."""

    def __init__(self, error: SlackError, what: str) -> None:
        super().__init__(error.method, error.code, lost=error.lost)
        self.what = what


class NotHeard(SlackError):
    """Slack opens no direct messages with who would be told in them how it goes, so that nothing was sent."""

    def __init__(self, error: SlackError) -> None:
        super().__init__(error.method, error.code, lost=error.lost)


class Unreachable(SlackError):
    """The place of a watch takes nothing from us any more, and nor does who follows there; `code` is the last why."""


class StoreError(BotError):
    """Redis did not answer."""


class MaybeTaken(StoreError):
    """Nor does anybody know whether it took what was said: it may be carried out all the same."""


class Unreadable(BotError):
    """A record of a `kind` that another version of the bot wrote, in a shape we do not know."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind
