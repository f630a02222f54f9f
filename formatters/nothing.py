"""Why nothing was done, where that is nobody's mistake: it has ended, it is so already, somebody decided."""

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.errors import AskedAlready, ForAPerson, NothingToDo, Taken
from bot.models.build import OPEN_STATES, State
from formatters import again, for_people
from formatters.blocks import code, link, literal, mention, moment
from formatters.words import MARKS, so_far, status


def nothing(problem: Taken | AskedAlready | ForAPerson | NothingToDo) -> str:
    """Return why there was nothing to do, or who was first."""
    if isinstance(problem, AskedAlready):
        return _asked_already(problem)
    if isinstance(problem, Taken):
        return _taken(problem)
    if isinstance(problem, ForAPerson):
        return for_people.words(problem)
    return _WORDS[problem.why](problem)


def _taken(problem: Taken) -> str:
    what = literal(problem.what, 200)
    if problem.number and problem.is_own:
        return f"You answered this already: {what} is #{problem.number}."
    if problem.is_own:
        return f"You have asked for this already: {what}{'' if problem.is_past else ' is under way'}."
    how = f"is #{problem.number}" if problem.number else "was asked for" if problem.is_past else "is already under way"
    return f"{mention(problem.person_id) or 'I'} was first: {what} {how}."


def _asked_already(problem: AskedAlready) -> str:
    where = f": {link(problem.url, 'the request')}" if problem.url else ""
    who = literal(problem.asker, 100) or ("You" if problem.is_own else mention(problem.person_id))
    asked = f"{who} asked for this at {moment(problem.asked_at)}, and it is still open{where}."
    must = "Somebody else" if problem.takes_two else "A person"
    return f"{asked} {must} must agree to {literal(problem.what)} there; nothing is asked twice."


def _typed_instead(line: str) -> str:
    """Say how it is asked for by typing, where a line can be typed that means the same."""
    shown = again.command(line) if line else ""
    if shown:
        return f"Type {shown}: I ask for the rest then."
    return "No command can be typed that means the same: let it be asked for with other parameters."


def _already_running(problem: NothingToDo) -> str:
    if problem.state == State.ON_HOLD:
        return f"#{problem.number} waits for an approval, and has not ended: what has ended can run again."
    news = f"No thread has the news of it: {again.command(problem.what)} follows it here."
    how = f"{_outcome(problem)}. {news if problem.what else 'The thread has the news.'}"
    if problem.is_own:
        return f"You have rerun it already: {how}"
    if mention(problem.person_id):
        return f"{mention(problem.person_id)} was first to rerun it: {how}"
    return f"I started nothing, for what has ended can run again: {how}"


def _nothing_to_rerun(problem: NothingToDo) -> str:
    if problem.state in OPEN_STATES:
        return f"{_outcome(problem)}, and has not ended: what has ended can run again."
    if problem.state not in (State.PASSED, State.CANCELED, State.SUPERSEDED):
        line = again.command(problem.what)
        anew = f" {line} starts a new pipeline." if line else ""
        return f"#{problem.number} has no workflow that can run again.{anew}"
    line = again.command(problem.what)
    return f"{_outcome(problem)}, and nothing of it failed." + (f" {line} runs all of it again." if line else "")


def _approved_already(problem: NothingToDo) -> str:
    if not mention(problem.person_id):
        return f"It was approved on CircleCI: {_outcome(problem)}."
    if problem.is_own:
        return f"You approved {literal(problem.what)} already, and {_outcome(problem)}."
    return f"{mention(problem.person_id)} was first: Approve {literal(problem.what)} is done, and {_outcome(problem)}."


def _job_has_ended(problem: NothingToDo) -> str:
    name = f"{literal(problem.what)} ({problem.number})"
    return f"There is nothing to cancel: {name} has ended. {status(problem.state)}."


def _who(problem: NothingToDo) -> str:
    return "You" if problem.is_own else mention(problem.person_id) or "I"


def _taken_back(problem: NothingToDo) -> str:
    who = "You" if problem.is_own else mention(problem.person_id) or "Who asked for it"
    return f"{who} took it back: {literal(problem.what, 200)} is not deployed."


def _decided_already(problem: NothingToDo) -> str:
    who = mention(problem.person_id)
    if problem.is_own:
        return "You have decided this already. The message has what became of it."
    return f"{who} was first. The message has what became of it." if who else "It is too late for that."


STANDS = {
    State.WAITING: "waits for its turn",
    State.RUNNING: "is running",
    State.ON_HOLD: "is on hold",
    State.UNKNOWN: "is in a state that I do not know",
    State.PASSED: "passed",
    State.FAILED: "failed",
    State.CANCELED: "was cancelled",
    State.SUPERSEDED: "was superseded by a newer pipeline",
    State.COULD_NOT_RUN: "could not run",
}


def _outcome(problem: NothingToDo) -> str:
    """Return how a build stands: `#2417 passed 5 min ago`."""
    stands = STANDS[State(problem.state)] if problem.state else "has ended"
    ago = problem.ago if problem.ago and problem.ago >= timedelta(minutes=1) else None
    return f"#{problem.number} {stands}" + (f" {so_far(ago)} ago" if ago else "")


def _mark(problem: NothingToDo) -> str:
    return MARKS[State(problem.state)] if problem.state else ""


_WAITS_FOR: defaultdict[str, str] = defaultdict(
    lambda: "waits for what was asked next",
    second_person="waits for somebody else to agree",
    person="waits for somebody to agree",
    typed="waits for who asked to type its branch or tag",
)
_ASK_ANEW = "Nothing was started: ask for it anew if it is still wanted."
_NEW_DEPLOY = "A new deploy starts a new pipeline"


def _went_out(problem: NothingToDo) -> str:
    if not problem.number:
        return f"Nothing was taken back: {literal(problem.what, 200)} does not wait for its turn any more."
    what = f"{literal(problem.what, 200)} has gone out as #{problem.number}"
    return f"Nothing was taken back: {what}. *Cancel #{problem.number}* in its thread stops it."


def _going_out(problem: NothingToDo) -> str:
    what = literal(problem.what, 200)
    return (
        f"{what} is on its way to CircleCI, which has not answered yet. If it has to wait for another turn, it is not "
        "sent any more. If it begins, `/ci cancel` of its branch stops it."
    )


_WORDS: dict[str, Callable[[NothingToDo], str]] = {
    "not_red_any_more": lambda one: (
        f"What this message says of {literal(one.what, 200)} is over: it is green again, broke anew, or I do not tell "
        "of it here any more."
    ),
    "not_told_here": lambda one: (
        f"No subscription of this channel is about {literal(one.what, 200)} any more, so I do not say here how it "
        "stands. `/ci subscriptions` lists what this channel is told."
    ),
    "not_red_here": lambda one: (
        f"{literal(one.what, 200)} is not red here, as far as this channel is told of it, so there is nothing to "
        "snooze. `/ci subscriptions` lists what it is told."
    ),
    "nothing_red_here": lambda one: (
        f"Nothing{f' that is called {code(one.what, 100)}' if one.what else ''} is red here, as far as this channel is "
        "told of it, so there is nothing to snooze. `/ci subscriptions` lists what it is told."
    ),
    "snoozed_already": lambda one: (
        f"{literal(one.what, 60)} has snoozed it already, until {moment(datetime.fromtimestamp(one.number, UTC))}. "
        "*End the snooze* on the message ends that."
    ),
    "not_snoozed": lambda one: f"{literal(one.what, 200)} is not snoozed here.",
    "looked_at_already": lambda one: f"{literal(one.what, 60)} looks at it already.",
    "taken_back": _taken_back,
    "went_out": _went_out,
    "going_out": _going_out,
    "already_running": _already_running,
    "nothing_to_cancel": lambda one: f"There is nothing to cancel: {_outcome(one)}.",
    "nothing_to_cancel_yet": lambda one: (
        f"No workflow of #{one.number} runs at this moment, so there is none to cancel. If one begins, try again."
    ),
    "nothing_to_rerun": _nothing_to_rerun,
    "no_job_to_open": lambda one: f"No job of #{one.number} failed, so there is none to open by SSH. Nothing was done.",
    "ran_again": lambda one: (
        f"#{one.number} has run again, and this message is about an attempt before: nothing was done. "
        f"By now {_outcome(one)}." + (f" {line} is about that." if (line := again.command(one.what)) else "")
    ),
    "ran_elsewhere": lambda one: (
        f"Somebody ran #{one.number} again elsewhere while this waited for its turn, so I started nothing. "
        f"By now {_outcome(one)}." + (f" {line} runs it once more." if (line := again.command(one.what)) else "")
    ),
    "older_by_now": lambda one: (
        f"#{one.number} of the same branch began while this waited for its turn, so that it is about an older build by "
        "now. Nothing was done." + (f" {line} asks for it." if (line := again.command(one.what)) else "")
    ),
    "rerun_too_old": lambda _: f"CircleCI reruns nothing older than 90 days. {_NEW_DEPLOY}.",
    "nothing_to_approve": lambda one: f"It waits for no approval any more: {_outcome(one)}.",
    "approved_already": _approved_already,
    "job_has_ended": _job_has_ended,
    "ended_already": lambda one: (
        f"{literal(one.what)} #{one.number} has ended: {_mark(one)}. I follow one build, not a branch: "
        f"say it again when the next one runs. To have this one told here, name it: #{one.number}."
    ),
    "followed_already": lambda one: f"#{one.number} is followed here already.",
    "followed_by_many": lambda one: (
        f"#{one.number} is followed here already, and as many are mentioned at its end as I mention. Ask me in direct "
        "messages, and I follow it for you there."
    ),
    "not_followed": lambda one: f"#{one.number} is not followed here.",
    "followed_for_another": lambda one: (
        f"#{one.number} is followed here for {mention(one.person_id)}, and goes on to be: only they end that, with "
        f"{again.command(one.what)}. For yourself alone you can turn off the notifications of its thread in Slack."
    ),
    "nothing_again": lambda _: "You have deployed and rerun nothing here lately that could be done again.",
    "uses_nothing": lambda _: "This channel uses no project, so there is nothing to end.",
    "no_direct_messages": lambda one: (
        f"Slack lets me send you no direct messages (it says {code(one.what, 60)}), so I cannot tell you of "
        "your builds."
    ),
    "not_subscribed": lambda one: (
        f"There is no such subscription to {literal(one.what)} here. `/ci subscriptions` lists what there is, "
        "each with the line that ends it."
    ),
    "subscription_over": lambda _: (
        "This subscription has ended already. `/ci subscriptions` lists what there is, each with the line that ends it."
    ),
    "no_project_fits": lambda one: (
        f"I know no project {code(one.what, 120)} that you may look at, so nothing would be told. Nothing was done. "
        "`/ci projects` lists those that I follow."
    ),
    "subscriptions_enough": lambda one: (
        f"There are {one.number} subscriptions here already, and I keep no more for one channel. Nothing was done. "
        "`/ci subscriptions` lists them: end one first."
    ),
    "not_in_channel": lambda _: (
        "I am not in this channel, so nobody here would hear of it. Nothing was done. Type `/invite @ci` and ask again."
    ),
    "cannot_share": lambda _: (
        "I may not write here, so nothing is shared. Where I am no member, type `/invite @ci` and press again."
    ),
    "being_shared": lambda _: "It is being shared at this moment. If it is not here in a minute, press again.",
    "share_unsure": lambda _: (
        "Slack did not say whether it took it, so it may be shared or not. Look here first, and press again if it is "
        "not."
    ),
    "shared_already": lambda one: (
        f"It is shared here already: {link(one.what, 'the message')}." if one.what else "It is shared here already."
    ),
    "no_channel": lambda _: "This can be said in a channel alone. Nothing was done.",
    "not_locked": lambda one: (
        f"{literal(one.what)} is not locked."
        + (f" {again.command(one.again)} unlocks a part of it." if one.again and again.command(one.again) else "")
    ),
    "your_own_lock": lambda one: f"You hold the lock on {literal(one.what)} yourself, so it stops you from nothing.",
    "not_locked_any_more": lambda one: f"{literal(one.what)} is not locked any more.",
    "locked_as_a_whole": lambda one: (
        f"That has no lock of its own: {mention(one.person_id)} has locked {literal(one.what)} as a whole."
    ),
    "lock_is_your_own": lambda one: f"The lock on {literal(one.what)} is your own.",
    "too_many_wait": lambda one: (
        f"So many wait for {literal(one.what)} already that I cannot note one more. `/ci locks` shows who holds it."
    ),
    "lock_changed_hands": lambda one: (
        f"The lock on {literal(one.what)} has changed hands meanwhile. `/ci locks` shows who has it."
    ),
    "nobody_reads_here": lambda one: (
        f"Somebody else must agree to {literal(one.what)}. Ask for it in a channel that I am in, where they can."
    ),
    "agent_reads_alone": lambda one: (
        f"Somebody else than its owner must agree to {literal(one.what)}, and its requests stand in direct messages, "
        "where nobody else reads. Its owner can make an agent for a channel: `/ci agent add` with `channel=#deploys`."
    ),
    "nobody_hears": lambda one: (
        f"I am not in this channel, so nobody here would hear how {literal(one.what)} goes. Nothing was started."
    ),
    "too_much_to_show": lambda one: (
        f"Somebody else must agree to {literal(one.what)}, and what they agree to does not fit into a message of "
        "Slack's as a whole. Nothing was asked or started. Ask with shorter parameters, or start it at CircleCI."
    ),
    "not_your_own": lambda _: "You asked for it, so somebody else must agree.",
    "not_your_agents": lambda _: "Your agent asked for it, so somebody else must agree.",
    "more_of_you": lambda one: f"A rule demands more of you for this than a press. {_typed_instead(one.what)}",
    "changed_meanwhile": lambda one: (
        f"{literal(one.what)} has changed since it was asked. "
        "The request shows what it is now: look once more, and agree."
    ),
    "asked_by_earlier": lambda one: (
        f"{literal(one.what)} was asked for before I was upgraded, and what it showed was not kept. "
        "The request shows what it is now: look once more, and agree."
    ),
    "agreed_in_vain": lambda one: (
        f"Something else stands in the way of {literal(one.what)} by now, as the message says. What was agreed to is "
        "over: ask for it anew."
    ),
    "not_what_was_seen": lambda one: (
        f"{literal(one.what)} had changed by the time it was to be sent, so that it was not what was agreed to. "
        "Ask for it anew: the request shows what it is then."
    ),
    "decided_already": _decided_already,
    "done_otherwise": lambda one: f"{_who(one)} did the same meanwhile.",
    "over": lambda one: one.what,  # how it ended, as its message says it
    "answered_too_late": lambda one: (
        f"The time to answer this is up: nothing was started ({literal(one.what)}). Ask for it anew."
    ),
    "answered_before": lambda one: f"{_who(one)} answered this. {literal(one.what)} {_WAITS_FOR[one.state]}.",
    "declined": lambda one: f"{_who(one)} declined. {_ASK_ANEW}",
    "expired": lambda _: f"Nobody agreed in time. {_ASK_ANEW}",
    "typed_already": lambda one: (
        f"You have typed it already, and {literal(one.what)} went on. Ask for it anew to do it once more."
    ),
    "agents_off": lambda _: (
        "No agent can reach me, so none was made: whoever runs me turns that on with `AGENTS=true` (docs/agents.md)."
    ),
    "no_agent_for_you": lambda one: f"No agent can speak for you: {literal(one.what)}. Nothing was made.",
    "agents_enough": lambda one: (
        f"You have {one.number} agents already, and that is all I keep for one person. "
        "`/ci agents` lists them: remove one first."
    ),
    "agent_taken": lambda one: (
        f"There is an agent called {code(one.what)} already, so none was made. "
        + (
            f"It is yours: if its token is lost, {again.command(f'agent remove {one.what}')} ends it, and you can add "
            "it anew."
            if one.is_own
            else "Choose another name."
        )
    ),
    "no_such_agent": lambda one: f"There is no agent called {code(one.what)}. `/ci agents` lists yours.",
    "no_agent_channel": lambda _: (
        "This is no channel that you and I are both in, and what an agent asks for has to stand in one. Nothing was "
        "made. Type `/invite @ci` there, and ask again."
    ),
    "gone": lambda one: f"{code(one.what, 120)} is not there any more. Nothing was done.",
    "pressed_before": lambda one: f"This was asked for already. {again.command(one.what)} shows what there is now.",
    "unknown_button": lambda _: (
        "I do not know this button any more: it is from an older version of me. Nothing was done. `/ci help` shows "
        "what I can do."
    ),
    "no_heroku": lambda _: (
        "CircleCI answers 404: it takes no Heroku keys any more. Set HEROKU_API_KEY as an environment variable of the "
        "project instead. The key you typed went nowhere."
    ),
    "no_heroku_on_cloud": lambda _: (
        "CircleCI Cloud takes no Heroku keys any more. Set HEROKU_API_KEY as an environment variable of the project "
        "instead: `env set &lt;project&gt; HEROKU_API_KEY`."
    ),
    "no_cache_clearing": lambda _: (
        "CircleCI removed this in 2020, and answers 404. Change the cache's key in the configuration instead: put a "
        "number into it (`v2-deps-…`) and count it up."
    ),
}
REASONS = frozenset(_WORDS)
