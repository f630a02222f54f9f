"""Locks in words: who holds what, since when, why, and how to come by it."""

from datetime import timedelta

from bot.actions import AskHolder, RunCommand, TakeLock, Unlock
from bot.answers.locks import Locks
from bot.errors import Locked
from bot.models.lock import Lock
from formatters.blocks import Message, actions, assemble, button, confirm, fit, literal, mention, section
from formatters.lookalikes import careful, careful_plainly
from formatters.words import count, duration


def refused(lock: Locked) -> Message:
    """Say to who wants to deploy that somebody keeps them from it, and what they can press."""
    if lock.word == "lock":
        return _held_already(lock)
    text = f"{mention(lock.holder_id)} locked {literal(lock.target)} {duration(lock.age)} ago{_reason(lock)}"
    nothing = _NOTHING.get(lock.word, "Nothing was done.")
    note = careful_plainly(lock.target)
    sure = confirm("Take it over?", "Who holds it is told.", "Take over", "Leave it", note=note)
    buttons = (
        button(AskHolder(key=lock.key, holder_id=lock.holder_id), "Ask for it"),
        button(TakeLock(key=lock.key, holder_id=lock.holder_id), "Take over", style="danger", confirm=sure),
    )
    return assemble(f"{text} {nothing}", section(f"🔒 {text} {nothing}"), actions(*buttons))


_NOTHING = {"deploy": "Nothing was deployed.", "rerun": "Nothing runs again.", "approve": "Nothing was approved."}


def _held_already(lock: Locked) -> Message:
    """Say who was first."""
    text = (
        f"{mention(lock.holder_id)} has locked {literal(lock.target)} already, {duration(lock.age)} ago{_reason(lock)}"
    )
    take = button(TakeLock(key=lock.key, holder_id=lock.holder_id), "Take over", style="danger")
    return assemble(text, section(f"🔒 {text}"), actions(take))


def locked(lock: Lock) -> Message:
    """Say that it is theirs now."""
    reason = f" Your reason: {literal(lock.reason, 300).rstrip('.')}." if lock.reason else ""
    stops = "Nobody but you deploys it through me; reruns and approvals by others wait too."
    text = f"{literal(lock.target)} is locked. {stops}{reason} {careful(lock.target)}".rstrip()
    return assemble(text, section(f"🔒 {text}"), actions(button(Unlock(key=lock.key), "Unlock")))


def unlocked(lock: Lock) -> Message:
    """Say that anybody may deploy it again."""
    return _said(f"{literal(lock.target)} is unlocked. {careful(lock.target)}".rstrip())


def all_locks(found: Locks) -> Message:
    """Return every lock with its holder, age and reason."""
    if not found.locks:
        return _said("Nothing is locked.")
    text = f"{count(len(found.locks), 'lock')}."
    lines = [_line(lock, found.read_at - lock.since) for lock in found.locks]
    return assemble(text, section(f"*{text}*\n{fit(lines, 2700)}"))


def _line(lock: Lock, age: timedelta) -> str:
    return f"🔒 {literal(lock.target)} · {mention(lock.holder_id)} · {duration(age)} ago{_reason(lock)}"


def taken(lock: Lock) -> Message:
    """Say to who took it over what is next."""
    text = (
        f"You hold the lock on {literal(lock.target)} now. Who held it has been told. {careful(lock.target)}".rstrip()
    )
    deploy = f"deploy {lock.project_slug} {lock.ref or ''}".strip()
    buttons = (button(RunCommand(text=deploy), "Deploy it"), button(Unlock(key=lock.key), "Unlock"))
    return assemble(text, section(f"🔒 {text}"), actions(*buttons))


def was_taken(lock: Lock, by_id: str) -> Message:
    """Tell the one who held it."""
    return _said(f"{mention(by_id)} has taken over your lock on {literal(lock.target)}{_reason(lock)}")


def was_removed(lock: Lock, by_id: str) -> Message:
    """Tell the one who held it."""
    return _said(f"{mention(by_id)} has removed your lock on {literal(lock.target)}{_reason(lock)}")


def asked_for(lock: Lock, by_id: str) -> Message:
    """Tell the holder that somebody waits."""
    text = f"{mention(by_id)} would like to deploy {literal(lock.target)}, which you have locked{_reason(lock)}"
    return assemble(text, section(f"🔒 {text}"), actions(button(Unlock(key=lock.key), "Unlock")))


def holder_asked(lock: Lock) -> Message:
    """Say that the holder knows."""
    return _said(f"I have asked {mention(lock.holder_id)} for {literal(lock.target)}.")


def _reason(lock: Lock | Locked) -> str:
    """Return the end of a sentence about a lock: why it is there, and with what of its name to be careful."""
    reason = f": {literal(lock.reason, 300).rstrip('.')}." if lock.reason else "."
    return f"{reason} {careful(lock.target)}".rstrip()


def _said(text: str) -> Message:
    return assemble(text, section(text))
