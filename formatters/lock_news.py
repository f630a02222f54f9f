"""What a channel hears of a lock, one line each; and in direct messages whoever held it, or waited for it."""

from datetime import datetime

from bot.actions import RunCommand, Unlock
from bot.models import spelling
from bot.models.lock import Lock, Over
from formatters.again import act_button, asks_again, command
from formatters.blocks import (
    Block,
    Message,
    actions,
    assemble,
    button,
    context,
    literal,
    mention,
    moment,
    section,
)
from formatters.dialogs import asks
from formatters.lookalikes import careful

HELD, FREE = "🔒 ", "🔓 "


def news(lock: Lock, before: Lock | None = None, *, pressed: bool = True) -> Message:
    """Say that it was taken, or taken over or changed where there was one before; whoever may can lift it from here.

    Where it cannot be `pressed` it is said alone: what stands there is never edited.
    """
    if before is None:
        text = f"{_name(lock)} locked {_scope(lock)}"
    elif before.holder_id != lock.holder_id:
        text = f"{_name(lock)} took over {_whose(before)} lock on {_scope(lock)}"
    else:
        text = f"{_name(lock)} changed the lock on {_scope(lock)}"
    until = f"{',' if before else ''} until {moment(lock.until)}" if lock.until else ""
    stays = "" if lock.until else " It stays until it is unlocked."
    text = f"{text}{until}{_reason(lock)}{stays} {careful(lock.target)}".rstrip()
    row, typed = _unlock(lock) if pressed else (None, "")
    return assemble(text, section(f"{HELD}{text}{typed}"), row)


def changed(before: Lock, lock: Lock) -> Message:
    """Return what is left of such a line where another tells how it is by now: nothing can be pressed there."""
    same = before.holder_id == lock.holder_id
    return _left_of(before, HELD, "Changed since." if same else f"Taken over by {_name(lock)}.")


def was(over: Over) -> Message:
    """Return what is left of such a line once it is not locked any more."""
    return _left_of(over.lock, FREE, f"Lifted by {_by(over)}." if over.by_id else "It has ended.")


def _left_of(lock: Lock, mark: str, now: str) -> Message:
    text = f"{_name(lock)} locked {_scope(lock)}{_reason(lock)} {careful(lock.target)}".rstrip()
    return assemble(f"{text} {now}", section(f"{mark}{text}"), context(now))


def over(ended: Over) -> Message:
    """Say that anybody may deploy it again; who took a lock that ended by itself is told by that."""
    lock = ended.lock
    if not ended.by_id:
        return _said(f"{mention(lock.holder_id)}'s lock on {_scope(lock)} has ended{_reason(lock)}", lock, FREE)
    whose = "the" if ended.by_id == lock.holder_id else _whose(lock)
    return _said(f"{_by(ended)} lifted {whose} lock on {_scope(lock)}.", lock, FREE)


def was_taken(lock: Lock, by_id: str) -> Message:
    """Tell the one who held it."""
    return _said(f"{mention(by_id)} has taken over your lock on {literal(lock.target)}{_reason(lock)}", lock)


def was_removed(lock: Lock, by_id: str) -> Message:
    """Tell the one who held it."""
    return _said(f"{mention(by_id)} has removed your lock on {literal(lock.target)}{_reason(lock)}", lock)


def free(ended: Over, again: str, still: str = "", channel_id: str = "") -> Message:
    """Tell one who asked that the lock is over, with what it had stopped, and where; `still` is locked by another."""
    lock = ended.lock
    how = f"{_by(ended)} lifted it" if ended.by_id else "it has ended"
    text = f"The lock on {_scope(lock)} that stopped you is gone: {how}."
    if still:
        text += f" But {literal(still)} is locked too, by somebody else: `/ci locks` shows it."
        return _said(text, lock, FREE)
    made, typed = repeats(again, lock.target, channel_id)
    text = f"{text}{typed} {careful(lock.target)}".rstrip()
    return assemble(text, section(f"{FREE}{text}"), actions(made) if made else None)


def moved(lock: Lock, before: datetime | None) -> Message:
    """Tell one who waits for the end of a lock when that is by now."""
    now = f"ends {moment(lock.until)} now" if lock.until else "has no end now"
    was = f"it was to end {moment(before)}" if before else "it had no end"
    text = f"The lock on {_scope(lock)} that you wait for {now}; {was}. {_name(lock)} holds it."
    return _said(f"{text} I tell you when it is not locked any more.", lock, HELD)


def repeats(stopped: str, target: str, channel_id: str = "") -> tuple[Block | None, str]:
    """Return a button for the command that a lock had stopped, or how it is typed where it has no room for a dialog.

    `channel_id` is where it was stopped, if the button stands elsewhere.
    """
    if not stopped:
        return None, ""
    verb, _, rest = stopped.partition(" ")
    what = rest.partition(" ")[2].split(" ")[0]
    about = f"This is about {target}" if target else ""
    made = act_button(
        stopped, f"{verb.capitalize()} {what}".strip(), about, action=RunCommand(text=stopped, channel_id=channel_id)
    )
    return made, "" if made else f" {asks_again(stopped)}"


def _unlock(lock: Lock) -> tuple[Block | None, str]:
    """Return the row with *Unlock*, for whoever reads it; or what to type where it has no room for its dialog."""
    whose = f"{lock.holder_name[:60]}'s" if lock.holder_name else "This"
    words = f"{whose} lock on {lock.target} is lifted: others can deploy it again."
    sure = asks("Unlock it?", f"{words} Who holds it is told.", "Unlock", "Leave it", lock.target)
    if sure:
        seen = {"holder_id": lock.holder_id, "since": lock.since.isoformat(), "changes": lock.changes}
        unlock = Unlock(key=lock.key, **seen)
        return actions(button(unlock, "Unlock", confirm=sure)), ""
    line = command(f"unlock {spelling.as_typed(f'{lock.project_slug}:{lock.ref}' if lock.ref else lock.project_slug)}")
    return None, f" {line} takes the lock away." if line else ""


def _scope(lock: Lock) -> str:
    return literal(lock.target) if lock.ref else f"all of {literal(lock.target)}"


def _reason(lock: Lock) -> str:
    return f": {literal(lock.reason, 300).rstrip('.')}." if lock.reason else "."


def _whose(lock: Lock) -> str:
    return f"{literal(lock.holder_name, 60)}'s" if lock.holder_name else "the"


def _name(lock: Lock) -> str:
    """Return what the holder is called, without a ping; earlier versions did not keep it."""
    return literal(lock.holder_name, 60) or mention(lock.holder_id) or "Somebody"


def _by(ended: Over) -> str:
    return literal(ended.by_name, 60) or mention(ended.by_id) or "Somebody"


def _said(text: str, lock: Lock, mark: str = "") -> Message:
    text = f"{text} {careful(lock.target)}".rstrip()
    return assemble(text, section(f"{mark}{text}"))
