"""Errors in words: what happened, then what to do next."""

from collections.abc import Sequence
from datetime import timedelta

from bot.actions import RunCommand
from bot.errors import (
    AskedAlready,
    BotError,
    CircleCIError,
    Elsewhere,
    ForAPerson,
    Locked,
    MaybeTaken,
    NameUntold,
    NotAllowed,
    NotAsked,
    NotFound,
    NotHeard,
    NothingToCancelYet,
    NothingToDo,
    NotTriggered,
    PartlyDone,
    RateLimited,
    Rejected,
    Sentence,
    SlackError,
    SlackLimited,
    Slip,
    Spent,
    StoreError,
    Taken,
    TooLarge,
    TooMany,
    Unauthorized,
    Unavailable,
    Unbuilt,
    Unheard,
    Unreadable,
    UsageError,
    UserError,
)
from bot.masks import masked
from bot.models.caller import called_agent
from bot.models.help import CommandHelp
from bot.models.refusals import Refused, refused
from bot.models.slack import Watch
from formatters import forms, locks, nothing, offers, refusals, sentences, unheard
from formatters.again import act_button, as_spoken
from formatters.again import command as to_type
from formatters.blocks import (
    Message,
    actions,
    assemble,
    clean,
    code,
    context,
    escape,
    literal,
    mention,
    section,
)
from formatters.buttons import cancel_button
from formatters.lookalikes import careful
from formatters.offers import Offer
from formatters.root import again
from formatters.words import duration

# The log has no more of these: a person can put it right, or CircleCI says why it started nothing.
_ALL_SAID = (UserError, NotTriggered)


def error(
    problem: BotError,
    *,
    command: str = "/ci",
    help: CommandHelp | None = None,  # noqa: A002  # it is what it is
    offered: Sequence[Offer] = (),
    reference: str = "",
    line: str = "",
) -> Message:
    """Return the words for any expected error, with what is `offered` instead of what led to it.

    `reference` finds it in the log, for what the person cannot put right themselves; `line` is the command that was
    not even taken, by name, since its person may have typed others beside it.
    """
    return as_spoken(_in_words(problem, command, help, offered, reference, line), command)


def _in_words(
    problem: BotError,
    command: str,
    help: CommandHelp | None,  # noqa: A002  # it is what it is
    offered: Sequence[Offer],
    reference: str,
    line: str,
) -> Message:
    match problem:
        case Sentence():
            return sentences.not_carried_out(problem, command, help, offered)
        case UsageError():
            return _usage(problem, command, help, offered)
        case Unbuilt():
            return _unbuilt(problem, offered)
        case NotFound():
            return _not_found(problem, command, offered)
        case Locked():
            return locks.refused(problem)
        case NothingToCancelYet():
            return _not_yet(problem)
        case Unheard():
            return unheard.question(problem, nothing.nothing(problem))
        case NothingToDo() if problem.again:
            return locks.free(problem, nothing.nothing(problem))
        case _:
            taken = "I cannot tell whether I took" if isinstance(problem, MaybeTaken) else "I did not take"
            not_taken = f"{taken} {code(line, LONGEST_LINE)}. " if line else ""
            text = f"{not_taken}{_sentence(problem)}{_who_could(problem, command)}"
            helps = reference and not isinstance(problem, _ALL_SAID)
            found = context(f"Reference {clean(reference, 20)}") if helps else None
            return assemble(text, section(text), offers.row(offered), found)


def _not_yet(problem: NothingToCancelYet) -> Message:
    """Say that nothing can be cancelled so far, with the button that tries once more."""
    text = nothing.nothing(problem)
    press = cancel_button(problem.pipeline_id, problem.number, problem.title, problem.ref, reruns=problem.reruns)
    return assemble(text, section(text), actions(press))


def _usage(
    problem: UsageError,
    command: str,
    help: CommandHelp | None,  # noqa: A002  # it is what it is
    offered: Sequence[Offer],
) -> Message:
    given = f" You wrote {code(masked(problem.given), 200)}." if problem.given else ""
    meant_word = (problem.did_you_mean or "").partition(" ")[0]
    meant = f" Did you mean {code(meant_word)}?" if meant_word else ""
    usage = help.usage if help else "help"
    example = f"\nFor example `{escape(f'{command} {help.example}')}`" if help and help.example != usage else ""
    next_step = f"`{escape(f'{command} {usage}')}`{example}"
    text = f"{escape(problem.problem)}{given}{meant}"
    line = to_type(offered[0].line, command) if offered else ""
    return assemble(text, section(f"{text}\n{line or next_step}"), offers.row(offered))


def _not_found(problem: NotFound, command: str, offered: Sequence[Offer]) -> Message:
    name = code(masked(problem.name)) or "without a name"
    where = f" in {literal(problem.looked_in)}" if problem.looked_in else ""
    text = f"CircleCI knows no {escape(problem.what)} {name}{where}, or my token may not see it."
    lately = "Branches built lately: " + " · ".join(code(branch, 80) for branch in problem.built_lately)
    next_step = lately if problem.built_lately else _where_names_stand(problem.what, command)
    return assemble(text, section(f"{text}\n{next_step}"), offers.row(offered))


def _unbuilt(problem: Unbuilt, offered: Sequence[Offer]) -> Message:
    """Ask whether a branch is meant that is spelled alike, or this one: that nothing was built of it says little."""
    name, title = code(masked(problem.name)), literal(problem.looked_in)
    so_far = f"CircleCI has built nothing of a branch {name} in {title} so far, which may be there all the same."
    verb = problem.again.partition(" ")[0].capitalize()
    nothing_done = "Nothing was started." if verb == "Deploy" else "Nothing is done yet."
    text = f"{so_far} {nothing_done} {careful(problem.name)}".rstrip()
    near = " · ".join(code(branch, 80) for branch in problem.built_lately)
    alike = f"\nSpelled alike: {near}" if near else ""
    names = f"Project {problem.looked_in}, branch {problem.name} (nothing of it was built so far)"
    line = problem.again if masked(problem.again) == problem.again else ""
    means_it = RunCommand(text=line, directly=problem.directly, unbuilt=True)
    anyway = act_button(line, f"{verb} it anyway", names, verb, action=means_it)
    made = [one.button for one in offered[: offers.MOST]]
    buttons = [one for one in (*made, anyway) if one is not None]
    return assemble(text, section(f"{text}{alike}"), actions(*buttons) if buttons else None)


def _where_names_stand(what: str, command: str) -> str:
    if what == "project":
        return f"Check the spelling: `{command} projects` lists those that I follow."
    if what.startswith(("pipeline on", "pipeline, among")):
        return f"Nothing was built there lately. `{command} help deploy` says how to start one."
    if what == "job":
        return f"`{command} status &lt;project&gt; #&lt;number&gt;` lists the jobs of a build, with their numbers."
    if what == "pipeline definition":
        return "Leave `definition:` out, and I ask which one."
    word = {"environment variable": "env", "checkout key": "keys"}.get(what, "status")
    return f"`{command} {word} &lt;project&gt;` shows what there is."


# What a permission word permits, after "You may not …".
DOING = {
    "read": "look at this",
    "deploy": "deploy",
    "rerun": "rerun builds",
    "cancel": "cancel builds",
    "approve": "approve",
    "secrets": "look at or change secrets",
    "keys": "look at or change keys",
    "ssh": "open builds to SSH",
    "admin": "use what is for my admins",
}
LONGEST_LINE = 200  # what is cut is no command
# And what goes by another name than its word.
_DOING_SO = {
    "unwatch": "stop what is followed",
    "lock": "lock",
    "use": "choose what a channel uses",
    "unlock": "unlock",
    "subscribe": "change what a channel hears",
    "unsubscribe": "change what a channel hears",
    "take_lock": "take over locks",
    "ask_holder": "ask for locks",
    "look_at": "say who looks at a branch",
    "snooze": "snooze a branch",
}
_FOR_ADMINS = "it is for the people in ADMINS"
NOT_READ = ", so I could not read what I need, and did not go on"
_LOOK_FIRST = "If this was to start or change something, look at CircleCI before you ask again: it may be done."
_UNSURE = f"{_LOOK_FIRST} Whoever runs me finds the details in my log."
_ELSEWHERE = "Ask in a channel that I am in, outside of this thread"
_ALWAYS: dict[type[BotError], str] = {
    StoreError: "My memory (Redis) does not answer, and I start nothing that I could not follow. "
    "Nothing was started. Try again in a minute, or tell whoever runs me.",
    MaybeTaken: "My memory (Redis) stopped answering while I noted this. It may be done all the same: look before you "
    "ask for it again, or tell whoever runs me.",
    Unreadable: "I was changed since I noted this, and cannot read it any more. Nothing was done. Please ask anew.",
}


def _sentence(problem: BotError) -> str:
    match problem:
        case Taken() | AskedAlready() | ForAPerson() | NothingToDo():
            return nothing.nothing(problem)
        case Slip():
            return escape(forms.slip(problem))
        case NotAllowed():
            by_act = _DOING_SO if problem.word in ("deploy", "cancel") else {}
            doing = by_act.get(problem.act) or DOING.get(problem.word, problem.word)
            what = doing + (f" ({literal(problem.about)})" if problem.about else "")
            who = mention(problem.user_id) if problem.is_of_another else "You"
            who = called_agent(literal(problem.agent), "" if problem.own else who) if problem.agent else who
            nothing_done = "" if problem.word == "read" else " Nothing was done."
            return f"{who} may not {what} here: {_because(problem.rule)}.{nothing_done}"
        case TooMany():
            return (
                f"You have {problem.still_open} questions open, and I answer {problem.at_once} of one person's at a "
                "time. This one is not among them: ask again when an answer has come. Deploys, cancels and all else "
                "that acts I take at once."
            )
        case Unauthorized():
            who = "The operator has been told; ask" if problem.is_told else "Tell whoever runs me, and ask"
            return (
                f"CircleCI does not accept my token any more. Nothing was done. {who} again when the token is renewed."
            )
        case StoreError() | Unreadable():
            return _ALWAYS[type(problem)]
        case CircleCIError():
            return _of_circleci(problem)
        case SlackError():
            return _of_slack(problem)
        case _:
            return f"Something went wrong on my side. {_UNSURE}"


def _of_slack(problem: SlackError) -> str:
    if isinstance(problem, NotAsked):
        return _not_asked(problem)
    if isinstance(problem, NotHeard):
        return _not_heard(problem)
    if isinstance(problem, SlackLimited):
        return f"Slack asks me to slow down. {_LOOK_FIRST} Try again in a minute."
    return f"Slack refused what I tried ({clean(problem.code, 60)}). {_UNSURE}"


def _not_asked(problem: NotAsked) -> str:
    """Say that nothing was sent, since nobody could be asked to agree; and where the same can be asked."""
    why = f"Slack did not take my request for that here ({clean(problem.code, 60)})"
    how = "Ask again in a moment" if refused(problem.code) is Refused.FOR_NOW else _ELSEWHERE
    return f"Somebody else must agree to {literal(problem.what)}, and {why}. Nothing was sent to CircleCI. {how}."


def _not_heard(problem: NotHeard) -> str:
    why = f"Slack opens no direct messages with you ({clean(problem.code, 60)}), and its news would come there"
    how = "Ask again in a moment" if refused(problem.code) is Refused.FOR_NOW else _ELSEWHERE
    return f"{why}. Nothing was done. {how}."


def _because(rule: str) -> str:
    """Return why somebody may not; people who are no operators know no setting by its name."""
    if not rule.startswith(_FOR_ADMINS):
        return literal(rule, 300)
    names = rule.removeprefix(_FOR_ADMINS).partition(": ")[2]
    return f"only my admins may ({literal(names, 200) if names else 'ADMINS, which is not set'})"


def _who_could(problem: BotError, command: str) -> str:
    """Return how to learn who could, where that is not said and `why` may be asked."""
    if not isinstance(problem, NotAllowed) or problem.is_of_another or not problem.about:
        return ""
    if problem.word == "read" or problem.rule.startswith("it is for ") or problem.about.count(" ") > 1:
        return ""
    line = f"{command} may {problem.word} {problem.about}".rstrip()
    return f" {code(line)} says who could." if len(line) < LONGEST_LINE else ""


def _of_circleci(problem: CircleCIError) -> str:
    match problem:
        case RateLimited():
            wait = duration(max(problem.retry_after, timedelta(seconds=1)))
            spent = "I have asked CircleCI as often as I may for the moment"
            why = spent if isinstance(problem, Spent) else "CircleCI asks me to slow down"
            return f"{why}{NOT_READ if problem.of_read else '. Nothing was done'}. Try again in {wait}."
        case NotTriggered():
            said = literal(problem.reason, 600)
            return f"CircleCI accepted the request but started nothing. It says: {_with_help(said, problem.reason)}"
        case Rejected():
            said = literal(problem.message, 600) or f"status {problem.status}"
            return f"CircleCI refused this. Nothing was done. It says: {_with_help(said, problem.message)}"
        case Elsewhere():
            return (
                f"CircleCI keeps this at {code(problem.host, 100)}, which is {problem.why}. I read nothing from there. "
                "Open it in CircleCI."
            )
        case TooLarge():
            return (
                f"CircleCI's answer is larger than the {problem.megabytes} MB that I read. I cannot tell what it says. "
                "Look at CircleCI before you ask again."
            )
        case Unavailable():
            return _unavailable(problem)
        case PartlyDone(error=Locked() as lock):
            rest = f"Then {mention(lock.holder_id)} locked {literal(lock.target)}, and I sent no more of it."
            return f"Only a part of it was done: {literal(problem.done, 300)}. {rest}"
        case PartlyDone():
            rest = _sentence(problem.error).replace(" Nothing was done.", "")
            return f"Only a part of it was done: {literal(problem.done, 300)}. {rest}"
        case _:
            return "CircleCI did not do it. Whoever runs me finds the reason in my log."


def _with_help(shown: str, said: str) -> str:
    """Return what CircleCI said, as it is shown, and what to do next."""
    return f"{shown.rstrip('.')}. {refusals.next_step(said) or refusals.UNKNOWN}"


def _untold(problem: NameUntold) -> str:
    """Say which name keeps somebody from something, and that nobody knows whether it does."""
    meant = f'the rule "{literal(problem.rule, 200)}"' if problem.rule else "a lock on it"
    name = literal(problem.name, 200)
    return (
        f"CircleCI does not tell me what {name} is called by now ({clean(problem.said, 120)}). It may be "
        f"{literal(problem.about, 200)}, and then {meant} holds. Nothing was done. Try again in a minute; if it stays "
        f"so, tell whoever runs me that {name} cannot be looked up."
    )


_LOOKED_FOR = "I look what became of it, and tell you."


def _unavailable(problem: Unavailable) -> str:
    if isinstance(problem, NameUntold):
        return _untold(problem)
    if problem.of_read:
        what = f"CircleCI does not answer properly ({clean(problem.reason, 120)})"
        return f"{what}{NOT_READ}. Try again in a minute; status.circleci.com may know more."
    if problem.arrived:
        next_step = "Look at CircleCI whether it is done before you ask again; status.circleci.com may know more."
        return (
            f"CircleCI does not answer properly ({clean(problem.reason, 120)}). I cannot tell whether it took the "
            f"request, and I send nothing twice. {_LOOKED_FOR if problem.is_looked_for else next_step}"
        )
    return "I cannot reach CircleCI. Nothing was started. Try again in a minute; status.circleci.com may know more."


def unexpected(reference: str) -> Message:
    """Return the words for what nobody foresaw; the reference stands in the log too."""
    text = f"Something broke on my side (reference {clean(reference, 20)}). {_UNSURE}"
    return assemble(text, section(text))


def edited() -> Message:
    """Return the words for a message that reads otherwise since it was sent."""
    text = "I carry out a message as it was sent, and an edit starts nothing. To have this done, send it anew."
    return assemble(text, section(text))


def project_unseen(slug: str) -> Message:
    """Tell the operator why channels hear nothing of a project that they have subscribed to."""
    text = (
        f"CircleCI does not show me {clean(slug, 120)} any more, so the channels that subscribed to it hear nothing of "
        "it. It may be renamed or removed, or my token may not see it now. I go on trying, and tell them when I can."
    )
    return assemble(text, section(f"⚠️ {text}"))


def channel_gone(channel_id: str, code: str) -> Message:
    """Tell the operator why builds of a channel are told elsewhere."""
    text = (
        f"I cannot write in <#{channel_id}> any more (Slack says {clean(code, 60)}). Who asked for a build there "
        f"gets the rest in direct messages, where they may look at it there. To have me back: {invite(code)}."
    )
    return assemble(text, section(f"⚠️ {text}"))


def invite(code: str) -> str:
    """Return what brings the bot back into a channel."""
    return (
        "unarchive the channel, then type `/invite @ci` there" if code == "is_archived" else "type `/invite @ci` there"
    )


def unreachable(watch: Watch, code: str) -> Message:
    """Tell the operator of a build whose news nobody can be told any more."""
    title = f"{clean(watch.project_title)} #{watch.pipeline_number}"
    who = clean(watch.watcher_name or watch.asker_name or watch.follower_id, 60) or "nobody I know of"
    text = (
        f"I do not follow {title} any more for {who}: Slack does not take my messages where it was followed, and in "
        "direct messages it does not either, or they may not look at it there (the last that Slack said: "
        f"{clean(code, 60)}). The build goes on at CircleCI."
    )
    return assemble(text, section(f"⚠️ {text} Whoever wants its news types {again(watch)}."))


def token_refused(name: str) -> Message:
    """Tell the operator which token CircleCI does not take, and what to do."""
    which = f"the token of {clean(name, 100)} (PROJECTS_FILE, [tokens])" if name else "my token (CIRCLECI_TOKEN)"
    text = (
        f"CircleCI does not accept {which}. Make a new personal token for the machine user and restart me; builds "
        "under watch go on being followed then."
    )
    return assemble(text, section(f"⚠️ {text}"))
