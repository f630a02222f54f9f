"""What was done, to the one who did it, where no thread tells it."""

from collections.abc import Callable

from bot.answers.acts import Acted, Answered, LockChanged
from bot.models.caller import called_agent
from formatters import answers, gate, locks, replies, webhooks
from formatters.blocks import Message, assemble, code, link, literal, section


def acted(done: Acted) -> Message | None:
    """Return what to say of an act; None where a thread or a message says it."""
    return None if done.told else _WORDS[done.act](done)


def lock_changed(changed: LockChanged) -> Message:
    """Return how a lock stands now."""
    return {
        "lock": locks.locked,
        "lock_again": locks.locked_again,
        "unlock": locks.unlocked,
        "take": locks.taken,
        "ask": locks.holder_asked,
    }[changed.act](changed)


def answered(done: Answered) -> Message:
    """Say that a question is answered."""
    said = {"decline": gate.declined_by_you, "take back": gate.taken_back_by_you}
    return said.get(done.answer, gate.typed_right)()


def _in_thread(done: Acted) -> Message:
    """Return what a thread would have heard: none follows this build."""
    entry, attempt = done.entry, int(done.detail or 0)
    who = entry.user_name or entry.user_id
    agreed = entry.agreed_name if entry.agent else ""
    who = called_agent(entry.agent, "" if entry.own else who) if entry.agent else who
    about = f"{done.project_title} #{done.pipeline_number}" if done.project_title and done.pipeline_number else ""
    return replies.someone_acted(done.act, who, done.what, attempt, pressed=done.pressed, about=about, agreed=agreed)


def _deployed(done: Acted) -> Message:
    assert done.ref is not None  # noqa: S101  # a deploy has one
    return answers.lost_answer(done.ref, done.project_title)


def _joined(done: Acted) -> Message:
    thread = f" That stands in {link(done.detail, 'its thread')}." if done.detail else ""
    about = f"{literal(done.project_title)} #{done.pipeline_number}"
    text = f"{about} is followed here already: its end mentions {literal(done.what, 60)} too."
    return assemble(text, section(text + thread))


def _unwatched(done: Acted) -> Message:
    text = f"#{done.pipeline_number} is no longer followed here."
    if done.detail:  # others asked to hear of its end
        text = f"#{done.pipeline_number} goes on here for others, and its end mentions you no more."
    return assemble(text, section(text))


def _said(words: str) -> Callable[[Acted], Message]:
    def say(done: Acted) -> Message:
        named = {
            "slug": literal(done.project_slug),
            "what": code(done.what, 120),
            "host": literal(done.what) or "every host",
            "plain": literal(done.what),
            "number": f"#{done.pipeline_number}",
            "detail": literal(done.detail) or "nothing",
        }
        text = words.format(**named)
        return assemble(text, section(text))

    return say


_WORDS: dict[str, Callable[[Acted], Message]] = {
    "deploy": _deployed,
    "cancel": _in_thread,
    "look_at": _said(
        "It is noted that you look at {plain}, until it is green. Slack did not take my message about that here, so "
        "tell the others."
    ),
    "look_no_more": _said(
        "It is noted that you do not look at {plain} any more. Slack did not take my message about that here, so tell "
        "the others."
    ),
    "take_back": _said("You took it back: {plain} is not deployed. Nothing of it was sent to CircleCI."),
    "cancel_job": _said("CircleCI has accepted to cancel {plain}."),
    "approve": _in_thread,
    "rerun_failed": _in_thread,
    "rerun_all": _in_thread,
    "join": _joined,
    "unwatch": _unwatched,
    "set_variable": _said("✅ {what} is set in {slug}. Builds that start from now on see it."),
    "remove_variable": _said("✅ {what} is removed from {slug}."),
    "remove_checkout_key": _said("✅ The checkout key {what} is removed from {slug}."),
    "add_ssh_key": _said("✅ Builds of {slug} may log in to {host} with the new key."),
    "add_heroku_key": _said("✅ My user on CircleCI has the Heroku key."),
    "clear_cache": _said("✅ The caches of {slug} are cleared. CircleCI says: {detail}."),
    "add_webhook": webhooks.added,
    "remove_agent": _said("✅ The agent {what} is removed: its token is good for nothing any more."),
}
