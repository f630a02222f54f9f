"""Locks in words: who holds what, since when, why, and how to come by it."""

from datetime import timedelta

from bot.actions import AskHolder, TakeLock, Unlock
from bot.answers.acts import LockChanged
from bot.answers.locks import Locks, WhichLock
from bot.errors import Locked, NothingToDo
from bot.models import spelling
from bot.models.lock import Lock, named_by
from formatters.again import act_button, asks_again, command
from formatters.blocks import Block, Message, actions, assemble, button, code, fit, literal, mention, section
from formatters.dialogs import asks
from formatters.lookalikes import careful
from formatters.words import count, duration

JUST_NOW = timedelta(seconds=10)


def refused(lock: Locked) -> Message:
    """Say to who wants to deploy that somebody keeps them from it, and what they can press."""
    if lock.word == "lock":
        return _held_already(lock)
    if lock.word == "unlock":
        return _another_by_now(lock)
    by_now = "There is another lock by now: " if lock.word == "take over" else ""
    text = f"{by_now}{mention(lock.holder_id)} locked {literal(lock.target)} {_ago(lock.age)}{_reason(lock)}"
    nothing = _NOTHING.get(lock.word, "Nothing was done.")
    ask = AskHolder(key=lock.key, holder_id=lock.holder_id, again=lock.again)
    asking = button(ask if ask.fits else ask.model_copy(update={"again": ""}), "Ask for it")
    buttons, typed = _pressed_or_typed(lock.key, asking, _take(lock))
    return assemble(f"{text} {nothing}", section(f"🔒 {text} {nothing}{typed}"), buttons)


def _take(lock: Locked) -> Block | None:
    """Return what takes over this very lock, with the command that it stopped, if a button can carry that."""
    take = TakeLock(key=lock.key, holder_id=lock.holder_id, since=_since(lock), again=lock.again)
    words = f"You hold the lock on {lock.target} then. Who holds it now is told."
    sure = asks("Take the lock over?", words, "Take over", "Leave it", lock.target)
    fitting = take if take.fits else take.model_copy(update={"again": ""})
    return button(fitting, "Take over", style="danger", confirm=sure) if sure else None


def _pressed_or_typed(key: str, *buttons: Block | None) -> tuple[Block | None, str]:
    """Return the row of buttons; and what to type for one that has no room for its dialog."""
    made = [one for one in buttons if one]
    slug, ref = named_by(key)
    line = command(f"unlock {spelling.as_typed(f'{slug}:{ref}' if ref else slug)}")
    typed = f" {line} takes the lock away." if len(made) < len(buttons) and line else ""
    return actions(*made) if made else None, typed


def _since(lock: Locked) -> str:
    return lock.at.isoformat() if lock.at else ""


def _ago(age: timedelta) -> str:
    return f"{duration(age)} ago" if age >= JUST_NOW else "just now"


_NOTHING = {
    "deploy": "Nothing was deployed.",
    "rerun": "Nothing runs again.",
    "approve": "Nothing was approved.",
    "take over": "It was not taken over.",
}


def _held_already(lock: Locked) -> Message:
    """Say who was first."""
    text = f"{mention(lock.holder_id)} has locked {literal(lock.target)} already, {_ago(lock.age)}{_reason(lock)}"
    buttons, typed = _pressed_or_typed(lock.key, _take(lock))
    return assemble(text, section(f"🔒 {text}{typed}"), buttons)


def _another_by_now(lock: Locked) -> Message:
    """Say whose lock it is to who pressed a button about another; with buttons that are about this one."""
    since = f"locked {_ago(lock.age)}{_reason(lock)}"
    text = f"The lock on {literal(lock.target)} is {mention(lock.holder_id)}'s by now, {since} It was not removed."
    unlock = Unlock(key=lock.key, holder_id=lock.holder_id, since=_since(lock))
    if lock.is_own:
        text = f"This is another lock of yours by now: {literal(lock.target)}, {since} It was not removed."
        buttons, typed = _pressed_or_typed(lock.key, _unlock_own(unlock, lock.target))
        return assemble(text, section(f"🔒 {text}{typed}"), buttons)
    words = f"Somebody else's lock on {lock.target} is removed. Who holds it is told."
    sure = asks("Remove their lock?", words, "Unlock", "Leave it", lock.target)
    theirs = button(unlock, "Unlock", style="danger", confirm=sure) if sure else None
    buttons, typed = _pressed_or_typed(lock.key, theirs, _take(lock))
    return assemble(text, section(f"🔒 {text}{typed}"), buttons)


def free(problem: NothingToDo, text: str) -> Message:
    """Say in these words that there is no lock any more, and offer what can be done now."""
    again, typed = _again(problem.again, problem.what)
    return assemble(text, section(f"{text}{typed}"), actions(again) if again else None)


def _again(stopped: str, target: str) -> tuple[Block | None, str]:
    """Return a button for the command that a lock had stopped, or how it is typed where it has no room for a dialog."""
    if not stopped:
        return None, ""
    verb, _, rest = stopped.partition(" ")
    what = rest.partition(" ")[2].split(" ")[0]
    made = act_button(stopped, f"{verb.capitalize()} {what}".strip(), f"This is about {target}" if target else "")
    return made, "" if made else f" {asks_again(stopped)}"


def _unlock(lock: Lock) -> tuple[Block | None, str]:
    """Return the row with *Unlock*, and what to type instead of one that has no room for its dialog."""
    unlock = Unlock(key=lock.key, holder_id=lock.holder_id, since=lock.since.isoformat())
    return _pressed_or_typed(lock.key, _unlock_own(unlock, lock.target))


def _unlock_own(unlock: Unlock, target: str) -> Block | None:
    words = f"Your lock on {target} is removed: others can deploy it again."
    sure = asks("Unlock it?", words, "Unlock", "Leave it", target)
    return button(unlock, "Unlock", confirm=sure) if sure else None


def locked(changed: LockChanged) -> Message:
    """Say that it is theirs now."""
    lock = changed.lock
    reason = f" Your reason: {literal(lock.reason, 300).rstrip('.')}." if lock.reason else ""
    stops = "I refuse deploys, reruns and approvals of it by anybody but you. It stays until it is unlocked."
    hints = f"{_unbuilt(changed)} {careful(lock.target)}".strip()
    what = literal(lock.target) if lock.ref else f"All of {literal(lock.target)}"
    text = f"{what} is locked. {stops}{reason} {hints}".rstrip()
    unlock, typed = _unlock(lock)
    return assemble(text, section(f"🔒 {text}{typed}"), unlock)


def which(found: WhichLock) -> Message:
    """Ask whether a branch is meant, or the whole project for a reason that begins like one; nothing is locked yet."""
    slug, title, ref = found.project_slug, literal(found.project_title), str(found.ref)
    branch, whole = _either(slug, ref, found)
    text = f"{code(ref)} may be what you lock, or why you lock all of {title}. Nothing is locked yet: which one?"
    lines = [typed for line in (branch, whole) if line and (typed := command(line))]
    of_project = f"Project {found.project_title}"
    buttons = (
        act_button(branch, f"Lock {ref}", f"{of_project}, {found.ref.kind} {found.ref.name}"),
        act_button(whole, f"Lock all of {found.project_title}", f"{of_project}, all of it"),
    )
    shown = [one for one in buttons if one]
    careful_with = careful(ref)
    return assemble(
        text,
        section("\n".join([f"{text} {careful_with}".rstrip(), *lines])),
        actions(*shown) if shown else None,
    )


def _either(slug: str, ref: str, found: WhichLock) -> tuple[str, str]:
    """Return the line for the branch and that for all of it; empty text for what no quotes hold together."""
    if not spelling.can_be_quoted(found.words):
        return "", ""
    branch = f"lock {spelling.as_typed(f'{slug}:{ref}')} {spelling.sentence(found.reason)}".strip()
    return branch, f"lock {slug} {spelling.quoted(found.words)}"


def _scope(lock: Lock) -> str:
    """Return what is locked; of a whole project it is said that it is."""
    return literal(lock.target) if lock.ref else f"all of {literal(lock.target)}"


def _unbuilt(changed: LockChanged) -> str:
    """Return what may be wrong with a branch that CircleCI does not know."""
    if not changed.unbuilt:
        return ""
    near = f" Did you mean {code(changed.near)}?" if changed.near else ""
    return f"CircleCI has built no branch of that name lately.{near}"


def locked_again(changed: LockChanged) -> Message:
    """Say to who holds it already what has become of the reason."""
    lock, before = changed.lock, changed.before or changed.lock
    text = f"You had locked {_scope(lock)} already. {careful(lock.target)}".rstrip()
    if lock.reason != before.reason:
        was = f" (it was: {literal(before.reason, 300).rstrip('.')})" if before.reason else ""
        text += f" Your reason is now: {literal(lock.reason, 300).rstrip('.')}{was}."
    elif lock.reason:
        text += f" Your reason is still: {literal(lock.reason, 300).rstrip('.')}."
    unlock, typed = _unlock(lock)
    return assemble(text, section(f"🔒 {text}{typed}"), unlock)


def unlocked(changed: LockChanged) -> Message:
    """Say that anybody may deploy it again, unless its whole project is locked."""
    still, lock = changed.still, changed.lock
    if still is None and changed.entry.user_id != lock.holder_id:
        return _said(f"{literal(lock.target)} is unlocked. It was locked by {mention(lock.holder_id)}{_reason(lock)}")
    if still is None:
        return _said(f"{literal(lock.target)} is unlocked. {careful(lock.target)}".rstrip())
    whole = f"{mention(still.holder_id)} has locked {literal(still.target)} as a whole{_reason(still)}"
    return _said(f"The lock on {literal(changed.lock.target)} is gone, but {whole}")


def all_locks(found: Locks) -> Message:
    """Return every lock with its holder, age and reason."""
    many = len(found.locks) + len(found.unread)
    if not many:
        return _said("Nothing is locked.")
    text = f"{count(many, 'lock')}."
    lines = [_line(lock, found.read_at - lock.since) for lock in found.locks]
    lines += [f"🔒 {code(key)} · another version of me wrote this one, and I cannot read it" for key in found.unread]
    return assemble(text, section(f"*{text}*\n{fit(lines, 2700)}"))


def _line(lock: Lock, age: timedelta) -> str:
    return f"🔒 {_scope(lock)} · {mention(lock.holder_id)} · {_ago(age)}{_reason(lock)}"


def taken(changed: LockChanged) -> Message:
    """Say to who took it over what is next: what it had stopped, word for word; where that is not known, no guess."""
    lock = changed.lock
    held = f"You hold the lock on {literal(lock.target)} now. Who held it has been told."
    text = f"{held} {careful(lock.target)}".rstrip()
    again, how = _again(changed.again, lock.target)
    unlock, typed = _unlock(lock)
    row = actions(*([again] if again else []), *(unlock["elements"] if unlock else []))
    return assemble(text, section(f"🔒 {text}{how}{typed}"), row if row["elements"] else None)


def was_taken(lock: Lock, by_id: str) -> Message:
    """Tell the one who held it."""
    return _said(f"{mention(by_id)} has taken over your lock on {literal(lock.target)}{_reason(lock)}")


def was_removed(lock: Lock, by_id: str) -> Message:
    """Tell the one who held it."""
    return _said(f"{mention(by_id)} has removed your lock on {literal(lock.target)}{_reason(lock)}")


_WISHED = {"deploy": "deploy", "rerun": "rerun a build of", "approve": "approve a job of"}


def asked_for(lock: Lock, by_id: str, stopped: str = "") -> Message:
    """Tell the holder that somebody waits: to do again what it `stopped`, which was a deploy where no line is left."""
    wished = _WISHED.get(stopped.partition(" ")[0], _WISHED["deploy"])
    text = f"{mention(by_id)} would like to {wished} {literal(lock.target)}, which you have locked{_reason(lock)}"
    unlock, typed = _unlock(lock)
    return assemble(text, section(f"🔒 {text}{typed}"), unlock)


def holder_asked(changed: LockChanged) -> Message:
    """Say that the holder knows."""
    holder, target = mention(changed.lock.holder_id), literal(changed.lock.target)
    if changed.asked_before:
        return _said(f"I had asked {holder} for {target} already, when you pressed before. I do not ask twice.")
    return _said(f"I have asked {holder} for {target}.")


def _reason(lock: Lock | Locked) -> str:
    """Return the end of a sentence about a lock: why it is there, and with what of its name to be careful."""
    reason = f": {literal(lock.reason, 300).rstrip('.')}." if lock.reason else "."
    return f"{reason} {careful(lock.target)}".rstrip()


def _said(text: str) -> Message:
    return assemble(text, section(text))
