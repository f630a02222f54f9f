"""Replies in the thread while a build runs: only what changes what someone would do."""

from collections.abc import Sequence
from datetime import timedelta

from bot.errors import CircleCIError, RateLimited, Rejected, Unauthorized
from bot.models.build import Build, Change, ChangeKind, Run, approved_key
from bot.models.slack import Watch
from formatters.again import MENTION, as_spoken
from formatters.blocks import (
    Block,
    Message,
    actions,
    assemble,
    clean,
    code,
    fit,
    link,
    literal,
    mention,
    mentions,
    section,
)
from formatters.buttons import approve_button, starting, that_fit
from formatters.links import Links
from formatters.root import again
from formatters.words import count, duration, listed

MOST_NAMED = 3
_INVITABLE = frozenset({"channel_not_found", "not_in_channel", "user_not_in_channel"})


def changes(build: Build, found: Sequence[Change], watch: Watch, links: Links, *, is_followed: bool = True) -> Message:
    """Return one reply that holds all changes of a look; nothing can be pressed where it is followed no more."""
    failed = [change for change in found if change.kind is ChangeKind.JOB_FAILED]
    others = [change for change in found if change.kind not in (ChangeKind.JOB_FAILED, ChangeKind.LATE)]
    late = [change.workflow.name for change in found if change.kind is ChangeKind.LATE]
    lines = [_late(late, watch)] if late else []
    lines += [*_failures(failed, build, watch, links), *(_line(change, build, watch, links) for change in others)]
    holds = [change for change in found if _waits(change)]
    runs = {run.workflow.id: run for run in build.runs}
    buttons = that_fit(
        approve_button(one.job, runs[one.workflow.id], build, watch.project_title)
        for one in holds
        if one.job and one.workflow.id in runs and is_followed
    )
    # Who reads the notification alone reads of what waits for them.
    first = _sentence(holds[0] if holds else found[0], build)
    more = f" And {count(len(found) - 1, 'more change')}." if len(found) > 1 else ""
    told = assemble(
        f"{clean(watch.project_title)} #{watch.pipeline_number}: {first}{more}",
        section(fit(lines, 2800)),
        section(_asked(watch) + _how(watch, len(holds) - len(buttons), is_followed=is_followed)) if holds else None,
        actions(*buttons) if buttons else None,
    )
    return as_spoken(told, MENTION)


def _late(names: Sequence[str], watch: Watch) -> str:
    """Take back an end that was told, before the one who waits for it acts on that."""
    began = f"⚠️ {listed(names)} began after I had told how this build ended: that was not its end."
    return f"{began} {mentions(watch.wait_for_it)}".rstrip()


def _line(change: Change, build: Build, watch: Watch, links: Links) -> str:
    workflow = literal(change.workflow.name, 80)
    if change.kind is ChangeKind.RERUN:
        return f"↻ {workflow} runs again, {_by_whom(change)}."
    if change.job is None:
        return f"❔ {workflow} is in a state I do not know: {literal(change.workflow.status, 60)}. I keep watching."
    if not change.job.waits_for_approval:
        return _decided(change, watch, _job(change, watch, links), workflow)
    return f"⏸️ Waiting for approval: {_job(change, watch, links)} ({workflow}).{_what_follows(change, build)}"


def _decided(change: Change, watch: Watch, job: str, workflow: str) -> str:
    """Return what became of a job that waited for an approval; that and by whom it was given here is said once."""
    if change.job is not None and approved_key(change.job.id) in watch.told:
        return f"✅ {job} waited for an approval ({workflow})."
    if change.job is not None and change.job.status == "success":
        return f"✅ {job} waited for an approval, and was approved ({workflow})."
    return f"⏹️ {job} waits for no approval any more ({workflow})."


def _failures(failed: Sequence[Change], build: Build, watch: Watch, links: Links) -> list[str]:
    """Return a line for each job that failed, or one for a workflow where many did, then what still runs."""
    by_workflow: dict[str, list[Change]] = {}
    for change in failed:
        by_workflow.setdefault(change.workflow.name, []).append(change)
    lines = []
    for name, those in by_workflow.items():
        jobs, where = [_job(change, watch, links) for change in those[:MOST_NAMED]], literal(name, 80)
        if len(those) > MOST_NAMED:
            more = len(those) - MOST_NAMED
            lines.append(f"❌ {len(those)} jobs failed ({where}): {', '.join(jobs)} and {more} more.")
        else:
            lines += [f"❌ {job} failed ({where})." for job in jobs]
    running = sum(len(run.running_jobs) for run in build.runs)
    if lines and running:
        lines[-1] += f" {count(running, 'other job')} still {'runs' if running == 1 else 'run'}."
    return lines


def _job(change: Change, watch: Watch, links: Links) -> str:
    if change.job is None:
        return literal(change.workflow.name, 80)
    url = links.job(watch.project_slug, watch.pipeline_number, change.workflow.id, change.job.job_number)
    return link(url, change.job.name, 100)


def _by_whom(change: Change) -> str:
    workflow = change.workflow
    if workflow.auto_rerun_number:
        return f"by CircleCI itself: automatic rerun {workflow.auto_rerun_number} of {workflow.max_auto_reruns or '?'}"
    return f"attempt {change.attempt}"


def _what_follows(change: Change, build: Build) -> str:
    run = next((run for run in build.runs if run.workflow.id == change.workflow.id), None)
    names = starting(change.job, run) if change.job and run else []
    return f" It would start {', '.join(literal(name, 80) for name in names)}." if names else ""


def _sentence(change: Change, build: Build) -> str:
    called = build.called(change.job, Run(workflow=change.workflow)) if change.job else change.workflow.name
    job = clean(called, 100)
    return {
        ChangeKind.JOB_FAILED: f"{job} failed.",
        ChangeKind.ON_HOLD: f"{job} waits for an approval." if _waits(change) else f"{job} does not wait any more.",
        ChangeKind.RERUN: f"{job} runs again.",
        ChangeKind.LATE: f"{job} began after the end was told.",
        ChangeKind.UNKNOWN_STATUS: f"{job} is in a state I do not know.",
    }[change.kind]


def _waits(change: Change) -> bool:
    return change.job is not None and change.job.waits_for_approval


def _asked(watch: Watch) -> str:
    elsewhere = watch.follower_id != watch.asker_id  # it is they who are told there
    who = literal(watch.asker_name, 60) if elsewhere else mention(watch.asker_id)
    asked = f"{who} asked for it. " if who else ""
    return f"{asked}CircleCI keeps it waiting for 90 days."


def _how(watch: Watch, number: int, *, is_followed: bool) -> str:
    """Return how approvals are reached that do not fit into one message, or where it is followed no more."""
    more = code(f"/ci approve {watch.project_slug} #{watch.pipeline_number}")
    if not is_followed:
        return f" It is not followed here any more: {more} shows what waits."
    return (
        f" {count(number, 'more button')} did not fit here: {more} shows them once some of these are done."
        if number
        else ""
    )


def outage(error: CircleCIError) -> Message:
    """Say once that news will be late, and why."""
    if isinstance(error, Unauthorized):
        told = ", and the operator has been told" if error.is_told else " (tell whoever runs me)"
        why = f"CircleCI does not accept my token any more{told}"
    elif isinstance(error, RateLimited):
        why = "CircleCI asks me to slow down"
    elif isinstance(error, Rejected) and error.is_gone:
        why = "CircleCI says that it does not know this pipeline, or my token may not see it any more"
    else:
        why = "CircleCI does not answer me"
    text = f"⚠️ News will be late: {why}. I cannot see the build now, and keep looking."
    return assemble(text, section(text))


def broken() -> Message:
    """Say once that news will be late because of ourselves."""
    text = (
        "⚠️ News will be late: something broke on my side when I looked at this build, and my log has the details for "
        "whoever runs me. I cannot see the build now, and keep looking."
    )
    return assemble(text, section(text))


def broken_over() -> Message:
    """Say that we can follow it again."""
    text = "✅ I can follow this build again. What stands above is up to date."
    return assemble(text, section(text))


def late() -> Message:
    """Say once that there is more to look at than CircleCI lets us."""
    text = (
        "⏳ News will be late: there are more builds to follow than I may ask CircleCI about in a minute. "
        "I look when I may, and tell its end."
    )
    return assemble(text, section(text))


def outage_over() -> Message:
    """Say that the news is fresh again."""
    text = "✅ CircleCI answers again. What stands above is up to date."
    return assemble(text, section(text))


def let_go_of_quiet(watch: Watch, state: str, quiet: timedelta) -> Message:
    """Say that nothing has happened for so long that it is followed no more."""
    return _let_go(watch, f"nothing has happened in it for {duration(quiet)} ({state})", "To follow it again")


def let_go_of_unknown(watch: Watch) -> Message:
    """Say that CircleCI does not know it any more."""
    why = "CircleCI does not know it any more. It was deleted, or my token may not see it now"
    return _let_go(watch, why, "Should it be there again")


def let_go_of_unread(watch: Watch, how_long: timedelta) -> Message:
    """Say that it could not be read for very long."""
    return _let_go(watch, f"I could not read it for {duration(how_long)}", "To have me try again")


def _let_go(watch: Watch, why: str, then: str) -> Message:
    """Return the last word of a thread whose build has no end that could be told; who waits for it is pinged."""
    what = f"{clean(watch.project_title)} #{watch.pipeline_number}"
    text = f"I do not follow {what} any more: {why}."
    pinged = f" {mentions(watch.wait_for_it)}" if watch.wait_for_it else ""
    return as_spoken(assemble(f"⏹️ {text}", section(f"⏹️ {text}{pinged}\n{then}, type {again(watch)}.")), MENTION)


def moved(watch: Watch, refusal: str) -> Message:
    """Say in a direct message why it arrives here."""
    text = (
        f"I cannot write where you asked for {clean(watch.project_title)} #{watch.pipeline_number} "
        f"(Slack says {clean(refusal, 60)}), so I tell you here."
    )
    if refusal in _INVITABLE:
        text += " To have me there: type `/invite @ci` in that channel."
    return assemble(text, section(text))


def left_behind(watch: Watch, refusal: str) -> Message:
    """Say in a direct message that a build is told of no more: its place is gone, and here nothing may be shown of it.

    What it is called is nothing for who may not look at it.
    """
    text = (
        f"I cannot write in <#{watch.thread.channel_id}> any more (Slack says {clean(refusal, 60)}), where I followed "
        f"#{watch.pipeline_number} for you. You may not look at it in direct messages, so I follow it no more for you. "
        "The build goes on at CircleCI."
    )
    return assemble(text, section(text))


# How it is told where it was pressed, and where it was said in words.
_HOW = {
    "cancel": ("pressed Cancel", "asked to cancel"),
    "rerun_failed": ("pressed Rerun failed", "asked to rerun what did not pass"),
    "rerun_all": ("pressed Rerun all", "asked to rerun all of it"),
    "approve": ("approved", "approved"),
}
_ACTED = {
    "cancel": "⏹️ {who} {how}. CircleCI has accepted it for {what}; the outcome follows.",
    "approve": "✅ {who} {how} {what}.",
    "rerun_failed": "↻ {who} {how}. Running again: {what}, then the jobs after it (attempt {attempt}).",
    "rerun_all": "↻ {who} {how}. Running again: {what} (attempt {attempt}).",
}


def reran_itself(what: str) -> Message:
    """Say that we ran it again, once CircleCI has taken it."""
    why = "all that failed is flaky or likely infrastructure, and this project asks for one rerun then"
    text = f"↻ I run {literal(what, 300)} again by myself, once: {why}."
    return assemble(clean(text, 600), section(text))


def someone_acted(
    kind: str,
    user_name: str,
    what: str,
    attempt: int = 0,
    *,
    pressed: bool = True,
    about: str = "",
    agreed: str = "",
) -> Message:
    """Say who pressed or said what, once CircleCI has taken it; a name, no mention: that is no reason for a ping.

    `about` is the build, for those who read the notification alone, `agreed` who let an agent have it done.
    """
    words, (by_press, by_word) = _ACTED[kind], _HOW[kind]
    how = by_press if pressed else by_word
    yes = f"; {literal(agreed, 60)} agreed" if agreed else ""
    shown: Block = section(
        words.format(who=literal(user_name, 100), what=literal(what, 300), how=how + yes, attempt=attempt)
    )
    yes = f"; {clean(agreed, 60)} agreed" if agreed else ""
    text = words.format(who=clean(user_name, 100), what=clean(what, 300), how=how + yes, attempt=attempt)
    return assemble(f"{clean(about, 200)}: {text}" if about else text, shown)


def saying_why(word: Message, why: str) -> Message:
    """Return what is told of an act with why an agent asked for it, if one did."""
    return assemble(word.text, *word.blocks, section(why) if why else None)
