"""Locks in words: who holds what, since when, why, and how to come by it."""

from datetime import UTC, timedelta

from bot.actions import AskHolder, TakeLock, TellWhenFree, Unlock
from bot.answers.acts import LockChanged
from bot.answers.locks import Locks, WillTell
from bot.errors import Locked, NothingToDo
from bot.models import spelling
from bot.models.lock import Lock, named_by
from formatters.again import command
from formatters.blocks import (
    Block,
    Message,
    actions,
    assemble,
    button,
    clean,
    code,
    fit,
    literal,
    mention,
    moment,
    section,
)
from formatters.dialogs import asks
from formatters.lock_news import repeats
from formatters.lookalikes import careful
from formatters.unsent import beside_a_lock
from formatters.words import count, duration

JUST_NOW = timedelta(seconds=10)


def refused(lock: Locked) -> Message:
    """Say to who wants to deploy that somebody keeps them from it, and what they can press."""
    if lock.is_hidden:
        text = f"It is locked, and a rule keeps you from looking at it. {_NOTHING.get(lock.word, 'Nothing was done.')}"
        return assemble(text, section(f"🔒 {text}"))
    if lock.word == "lock":
        return _held_already(lock)
    if lock.word == "unlock":
        return _another_by_now(lock)
    other = "It was changed since: " if lock.is_changed else "There is another lock by now: "
    by_now = other if lock.word == "take over" else ""
    since = f"{_ago(lock.age)}{_until(lock)}"
    text = f"{by_now}{mention(lock.holder_id)} locked {literal(lock.target)} {since}{_reason(lock)}{_others(lock)}"
    nothing = _NOTHING.get(lock.word, "Nothing was done.")
    ask = AskHolder(key=lock.key, holder_id=lock.holder_id, again=lock.again)
    asking = button(ask if ask.fits else ask.model_copy(update={"again": ""}), "Ask for it")
    buttons, typed = _pressed_or_typed(lock.key, asking, _take(lock), _tell_me(lock))
    return assemble(f"{text} {nothing}", section(f"🔒 {text} {nothing}{typed}"), buttons)


def _others(lock: Locked) -> str:
    """Return whose locks keep them from it too, once this one is gone."""
    return "".join(_other(one) for one in lock.others)


def _other(one: Locked) -> str:
    if one.is_hidden:
        return " Another lock keeps you from it too, which a rule keeps you from looking at."
    return f" {mention(one.holder_id)} locked {literal(one.target)} too, {_ago(one.age)}{_until(one)}{_reason(one)}"


def _take(lock: Locked) -> Block | None:
    """Return what takes over this very lock, with the command that it stopped, if a button can carry that."""
    own = {"reason": lock.own_reason, "until": lock.own_until}
    seen = {"holder_id": lock.holder_id, "since": _since(lock), "changes": lock.changes}
    take = TakeLock(key=lock.key, again=lock.again, **seen, **own)
    until = f", until {lock.own_until.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if lock.own_until else ""
    reason = f" Your reason: {clean(lock.own_reason, 80).rstrip('.')}." if lock.own_reason else ""
    words = f"You hold the lock on {lock.target} then{until}.{reason} Who holds it now is told."
    sure = asks("Take the lock over?", words, "Take over", "Leave it", lock.target)
    fitting = take if take.fits else take.model_copy(update={"again": ""})
    return button(fitting, "Take over", style="danger", confirm=sure) if sure and fitting.fits else None


def _tell_me(lock: Locked) -> Block:
    wish = TellWhenFree(key=lock.key, again=lock.again)
    return button(wish if wish.fits else wish.model_copy(update={"again": ""}), "Tell me when it ends")


def _until(lock: Lock | Locked) -> str:
    return f", until {moment(lock.until)}" if lock.until else ""


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
    since = f"{_ago(lock.age)}{_until(lock)}"
    text = f"{mention(lock.holder_id)} has locked {literal(lock.target)} already, {since}{_reason(lock)}"
    buttons, typed = _pressed_or_typed(lock.key, _take(lock), _tell_me(lock))
    text = f"{text}{_yours_then(lock)}"
    return assemble(text, section(f"🔒 {text}{typed}"), buttons)


def _yours_then(lock: Locked) -> str:
    """Return what *Take over* makes of what they gave; empty text where they gave nothing."""
    if not lock.own_reason and not lock.own_until:
        return ""
    until = f" until {moment(lock.own_until)}" if lock.own_until else ""
    reason = f" with your reason: {literal(lock.own_reason, 300).rstrip('.')}" if lock.own_reason else ""
    return f" *Take over* makes it yours{until}{',' if until and reason else ''}{reason}."


def _another_by_now(lock: Locked) -> Message:
    """Say whose lock it is to who pressed a button about another; with buttons that are about this one."""
    since = f"locked {_ago(lock.age)}{_until(lock)}{_reason(lock)}"
    holder = mention(lock.holder_id)
    whose = f"was changed by {holder} since" if lock.is_changed else f"is {holder}'s by now"
    text = f"The lock on {literal(lock.target)} {whose}, {since} It was not removed."
    unlock = Unlock(key=lock.key, holder_id=lock.holder_id, since=_since(lock), changes=lock.changes)
    if lock.is_own:
        what = "You have changed this lock since" if lock.is_changed else "This is another lock of yours by now"
        text = f"{what}: {literal(lock.target)}, {since} It was not removed."
        buttons, typed = _pressed_or_typed(lock.key, _unlock_own(unlock, lock.target))
        return assemble(text, section(f"🔒 {text}{typed}"), buttons)
    words = f"Somebody else's lock on {lock.target} is removed. Who holds it is told."
    sure = asks("Remove their lock?", words, "Unlock", "Leave it", lock.target)
    theirs = button(unlock, "Unlock", style="danger", confirm=sure) if sure else None
    buttons, typed = _pressed_or_typed(lock.key, theirs, _take(lock))
    return assemble(text, section(f"🔒 {text}{typed}"), buttons)


def free(problem: NothingToDo, text: str) -> Message:
    """Say in these words that there is no lock any more, and offer what can be done now."""
    again, typed = repeats(problem.again, problem.what)
    return assemble(text, section(f"{text}{typed}"), actions(again) if again else None)


def _unlock(lock: Lock) -> tuple[Block | None, str]:
    """Return the row with *Unlock*, and what to type instead of one that has no room for its dialog."""
    seen = {"holder_id": lock.holder_id, "since": lock.since.isoformat(), "changes": lock.changes}
    unlock = Unlock(key=lock.key, **seen)
    return _pressed_or_typed(lock.key, _unlock_own(unlock, lock.target))


def _unlock_own(unlock: Unlock, target: str) -> Block | None:
    words = f"Your lock on {target} is removed: others can deploy it again."
    sure = asks("Unlock it?", words, "Unlock", "Leave it", target)
    return button(unlock, "Unlock", confirm=sure) if sure else None


def locked(changed: LockChanged) -> Message:
    """Say that it is theirs now."""
    lock = changed.lock
    reason = f" Your reason: {literal(lock.reason, 300).rstrip('.')}." if lock.reason else ""
    stops = f"I refuse deploys, reruns and approvals of it by anybody but you. {_lasts(changed)}"
    unsent = beside_a_lock(changed.unsent)
    hints = " ".join(filter(None, (unsent, _unbuilt(changed), _unheard(changed), careful(lock.target))))
    text = f"{_begun(lock)} is locked. {stops}{reason} {hints}".rstrip()
    unlock, typed = _unlock(lock)
    return assemble(text, section(f"🔒 {text}{typed}"), unlock)


def beside_news(changed: LockChanged, *, in_thread: bool) -> Message | None:
    """Say what the channel was not told of it; a thread is told that the channel was. None where that is nothing."""
    lock = changed.lock
    if changed.act == "unlock":
        said = f"{_begun(lock)} is unlocked. The channel has the news."
        return unlocked(changed) if changed.still else _said(said) if in_thread else None
    lasts = _lasts(changed) if changed.notes else ""
    hints = " ".join(filter(None, (lasts, beside_a_lock(changed.unsent), _unbuilt(changed))))
    said = f"{_begun(lock)} is locked. The channel has the news. {hints}" if in_thread else hints
    return _said(said.rstrip()) if said else None


def _begun(lock: Lock) -> str:
    """Return what is locked, at the beginning of a sentence."""
    return literal(lock.target) if lock.ref else f"All of {literal(lock.target)}"


NO_END = "no_end"  # as noted by `bot/ends.py`
NOTES = {
    "tomorrow": "That time has passed today, so it is tomorrow's.",
    "next_week": "That time has passed today, so it is next week's.",
    "skipped": "Clocks are put forward over that time, so it is the moment after.",
    "twice": "Clocks are put back over that time, so it comes twice: the second is meant.",
    "utc": "I do not know your time zone, so I read it as UTC.",
}


def _lasts(changed: LockChanged) -> str:
    """Return when it ends, and how that was read where it may be another time than was meant."""
    if changed.lock.until is None:
        return f"It stays until it is unlocked.{_no_end(changed)}"
    notes = "".join(f" {NOTES[note]}" for note in changed.notes if note in NOTES)
    return f"It ends by itself: {moment(changed.lock.until)}.{notes}"


def _no_end(changed: LockChanged) -> str:
    """Return how it is given an end, where its reason tells of a time that may have been meant as one."""
    lock = changed.lock
    if lock.until is not None or NO_END not in changed.notes:
        return ""
    line = command(f"lock {spelling.as_typed(f'{lock.project_slug}:{lock.ref}' if lock.ref else lock.project_slug)} 2h")
    return " It has no end: the time in your reason is a part of that." + (f" {line} gives it one." if line else "")


def _unheard(changed: LockChanged) -> str:
    return "This channel has not heard of it: Slack does not let me write here." if changed.unheard else ""


def _scope(lock: Lock) -> str:
    """Return what is locked; of a whole project it is said that it is."""
    return literal(lock.target) if lock.ref else f"all of {literal(lock.target)}"


def _unbuilt(changed: LockChanged) -> str:
    """Return what may be wrong with a branch that CircleCI does not know."""
    if changed.as_spelled:
        return "CircleCI did not answer in time, so I took the name as it was spelled: look whether it is right."
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
    if lock.until != before.until:
        text += f" {_lasts(changed)}" + (f" (It was: {moment(before.until)}.)" if before.until else "")
    elif lock.until:
        text += f" It ends as before: {moment(lock.until)}."
    rest = " ".join(filter(None, (beside_a_lock(changed.unsent), _unheard(changed))))
    text = f"{text}{_no_end(changed)} {rest}".rstrip()
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
    many, title = len(found.locks) + len(found.unread), literal(found.project_title)
    of = f" of {title}" if title else ""
    others = f"Of other projects: {count(found.elsewhere, 'lock')}, `/ci locks all`." if found.elsewhere else ""
    if not many:
        shown = "" if found.sees_all else ", as far as I may show it"
        return _said(f"Nothing{of} is locked{shown}. {others}".strip())
    text = f"{count(many, 'lock')}{of}."
    lines = [_line(lock, found.read_at - lock.since) for lock in found.locks]
    lines += [f"🔒 {code(key)} · another version of me wrote this one, and I cannot read it" for key in found.unread]
    return assemble(text, section("\n".join(filter(None, [f"*{text}*", fit(lines, 2700), others]))))


def _line(lock: Lock, age: timedelta) -> str:
    return f"🔒 {_scope(lock)} · {mention(lock.holder_id)} · {_ago(age)}{_until(lock)}{_reason(lock)}"


_TOLD = {False: "Who held it has been told.", True: "Slack did not take my message to who held it: tell them."}


def taken(changed: LockChanged) -> Message:
    """Say to who took it over what is next: what it had stopped, word for word; where that is not known, no guess."""
    lock = changed.lock
    held = f"You hold the lock on {literal(lock.target)} now. {_TOLD[changed.untold]}{_as_taken(changed)}"
    text = f"{held} {careful(lock.target)}".rstrip()
    again, how = repeats(changed.again, lock.target)
    unlock, typed = _unlock(lock)
    row = actions(*([again] if again else []), *(unlock["elements"] if unlock else []))
    return assemble(text, section(f"🔒 {text}{how}{typed}"), row if row["elements"] else None)


def _as_taken(changed: LockChanged) -> str:
    """Return with which reason and which end it is theirs now, and which of them is still another's."""
    lock, before, text = changed.lock, changed.before, ""
    if lock.reason:
        kept = before is not None and lock.reason == before.reason
        whose = f"Its reason is still that of {mention(before.holder_id)}" if kept and before else "Your reason"
        text = f" {whose}: {literal(lock.reason, 300).rstrip('.')}."
    if before is not None and lock.until and lock.until == before.until:
        return f"{text} It ends as before: {moment(lock.until)}."
    return f"{text} {_lasts(changed)}"


_WISHED = {"deploy": "deploy", "rerun": "rerun a build of", "approve": "approve a job of"}


def asked_for(lock: Lock, by_id: str, stopped: str = "") -> Message:
    """Tell the holder that somebody waits: to do again what it `stopped`, which was a deploy where no line is left."""
    wished = _WISHED.get(stopped.partition(" ")[0], _WISHED["deploy"])
    text = f"{mention(by_id)} would like to {wished} {literal(lock.target)}, which you have locked{_reason(lock)}"
    unlock, typed = _unlock(lock)
    return assemble(text, section(f"🔒 {text}{typed}"), unlock)


def holder_asked(changed: LockChanged) -> Message:
    """Say that the holder knows; or that they may not, and that it can be tried again."""
    holder, target = mention(changed.lock.holder_id), literal(changed.lock.target)
    hears = " I tell you in a direct message when it is not locked any more." if changed.waits else ""
    if changed.untold:
        not_taken = f"Slack did not take my message to {holder} about {target}. Press again in a moment, or ask them."
        return _said(f"{not_taken}{hears}")
    if changed.asked_before:
        return _said(f"I had asked {holder} for {target} already, when you pressed before. I do not ask twice.{hears}")
    return _said(f"I have asked {holder} for {target}.{hears}")


def will_tell(found: WillTell) -> Message:
    """Say that they will hear of its end, and who holds it until then."""
    lock = found.lock
    again = "You had asked for that already. " if found.asked_before else ""
    held = f"{mention(lock.holder_id)} holds it{_until(lock)}"
    when = f"I tell you in a direct message, once, when {_scope(lock)} is not locked any more."
    return _said(f"{again}{when} {held}. {careful(lock.target)}".rstrip())


def _reason(lock: Lock | Locked) -> str:
    """Return the end of a sentence about a lock: why it is there, and with what of its name to be careful."""
    reason = f": {literal(lock.reason, 300).rstrip('.')}." if lock.reason else "."
    return f"{reason} {careful(lock.target)}".rstrip()


def _said(text: str) -> Message:
    return assemble(text, section(text))
