"""Keeps the record of what people did: one entry for each act that takes more than reading, done, refused or failed."""

import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import NamedTuple

import structlog

from bot.actions import ButtonAction
from bot.errors import (
    BotError,
    Locked,
    NotAllowed,
    NotFound,
    NothingToDo,
    StoreError,
    Unreadable,
    UsageError,
    UserError,
)
from bot.masks import masked
from bot.models.audit import Entry, Outcome
from bot.models.caller import Caller
from bot.models.circleci import Ref
from bot.models.slack import utc_now
from bot.policy import Word
from bot.store import Store
from formatters import errors
from formatters.audit import pressed
from formatters.blocks import mention
from formatters.plain import mentioned, plain

MOST_WHAT, MOST_RESULT = 300, 160
MOST_NAMED = 3  # people whom a result is about; what somebody typed or called a job may hold ids without end
_OURS = frozenset({"user_id", "team_id", "channel_id", "for_id", "agreed_id", "word", "request"})  # or Slack's
_WORDS = tuple(name for name, field in Entry.model_fields.items() if field.annotation is str and name not in _OURS)
RECORDED_ONCE = timedelta(days=1)
log = structlog.get_logger(__name__)


class Record:
    """Writes entries; what was done is done, so that a lost Redis is only said in the log."""

    def __init__(
        self, store: Store, keep: timedelta, called: Callable[[str], Awaitable[str]], *, to_output: bool
    ) -> None:
        """Keep entries for so long; `called` tells a person's name, or empty text."""
        self._store = store
        self._called = called
        self._keep = keep
        self._to_output = to_output

    async def keep(self, entry: Entry) -> None:
        """Keep one act in plain words, without what looks like a credential in any of them."""
        entry = _without_secrets(await self._in_plain_words(entry))
        if self._to_output:
            sys.stdout.write(entry.model_dump_json(exclude_defaults=True) + "\n")
            sys.stdout.flush()
        try:
            await self._store.audit.add(entry, self._keep, refused=entry.outcome is Outcome.REFUSED)
        except StoreError as error:
            log.error("audit_not_kept", error=str(error))  # noqa: TRY400  # what was done is done

    async def _in_plain_words(self, entry: Entry) -> Entry:
        """Return the entry with the name of who acted, which a mention does not bring, and of whom its result mentions.

        Who reads it elsewhere knows no ids.
        """
        name = entry.user_name or (await self._called(entry.user_id) if entry.user_id else "")
        people = sorted(mentioned(entry.result))[:MOST_NAMED]
        names = {person_id: await self._called(person_id) for person_id in people}
        return entry.model_copy(update={"user_name": name, "result": plain(entry.result, names)})

    async def keep_once(self, entry: Entry, delivery_id: str) -> None:
        """Keep an act once for each delivery: a second run of it says the same."""
        about = f"recorded:{delivery_id}:{entry.user_id}:{entry.what}:{entry.outcome}"
        try:
            first = await self._store.claims.first(about, RECORDED_ONCE)
        except StoreError:
            first = True  # rather twice than never, and what was done is not done again for it
        if first:
            await self.keep(entry)

    async def at_the_door(
        self, caller: Caller, word: str, what: str | ButtonAction, error: BotError, about: "About | None" = None
    ) -> None:
        """Keep what came to nothing before any operation began; a look is no act, and no slip of the tongue is one.

        Nor is a name that nothing has: nobody can have done anything to it, and who only asked did not mean to.

        Of a button it is found out what it is about, as far as that is known without asking anybody.
        """
        if word == Word.READ or isinstance(error, UsageError | NotFound) or is_recorded(error):
            return
        if isinstance(what, ButtonAction):
            about = await self._about(what)
        entry = begun(caller, word, pressed(what) if isinstance(what, ButtonAction) else what)
        await self.keep_once(ended(about.noted(entry) if about else entry, error), caller.delivery_id)

    async def _about(self, button: ButtonAction) -> "About":
        try:
            return await self._found(button)
        except (StoreError, Unreadable):
            return About(button.project)  # rather an entry with less in it than none

    async def _found(self, button: ButtonAction) -> "About":
        named = button.model_dump()
        if pipeline_id := named.get("pipeline_id"):
            for watch in await self._store.watches.of(pipeline_id):
                return About(watch.project_slug, watch.project_title, watch.ref, watch.pipeline_number)
        if held := await self._store.locks.get(str(named["key"])) if "key" in named else None:
            return About(held.project_slug, held.project_title, held.ref)
        waits_for = named.get("attempt_id") or named.get("invocation_id")
        if waits := await self._store.pending.get(str(waits_for)) if waits_for else None:
            number = getattr(waits.wish, "pipeline_number", None)
            return About(waits.wish.project_slug, waits.wish.project_title, waits.wish.ref, number)
        return About(button.project)


class About(NamedTuple):
    """What an act is about, as far as it is known."""

    slug: str = ""
    title: str = ""
    ref: Ref | None = None
    number: int | None = None

    def noted(self, entry: Entry) -> Entry:
        """Return the entry with it; a slug stands for a title that nobody has looked up."""
        if not self.slug:
            return entry
        title = self.title or self.slug.partition("/")[2]
        found = {
            "about": f"{title} {self.ref or ''}".strip(),
            "project_slug": self.slug,
            "ref": str(self.ref or ""),
            "pipeline_number": self.number,
        }
        return entry.model_copy(update=found)


def _without_secrets(entry: Entry) -> Entry:
    """Return the entry without what looks like a credential: whatever is not an id or a word of ours may hold one."""
    words = {name: masked(getattr(entry, name)) for name in _WORDS}
    return entry.model_copy(update={**words, "parameters": tuple(map(masked, entry.parameters))})


def begun(caller: Caller, word: str, what: str) -> Entry:
    """Return the entry of an act that begins; `what` never holds a value somebody typed."""
    return Entry(
        at=utc_now(),
        user_id=caller.person_id,
        user_name=caller.name,
        team_id=caller.team_id,
        agent=caller.agent,
        own=caller.own,
        reason=caller.reason,
        channel_id=caller.channel_id,
        word=word,
        what=what[:MOST_WHAT],
        request=str(structlog.contextvars.get_contextvars().get("request") or ""),
    )


def ended(entry: Entry, error: BaseException | None = None) -> Entry:
    """Return the entry with its end: done, or why it was refused or failed."""
    if error is None:
        return entry.model_copy(update={"outcome": Outcome.DONE, "result": entry.result or "done"})
    outcome = Outcome.REFUSED if isinstance(error, UserError) else Outcome.FAILED
    why = _why(error) if isinstance(error, BotError) else "it broke"
    if isinstance(error, NotAllowed):
        entry = entry.model_copy(update={"rule": error.rule, "about": entry.about or error.about})
    return entry.model_copy(update={"outcome": outcome, "result": f"{entry.result}; {why}".removeprefix("; ")})


def mark_recorded(error: BaseException) -> None:
    """Remember that the record has an entry for what this error ended."""
    error.add_note(_RECORDED)


def is_recorded(error: BaseException) -> bool:
    """Say whether an operation has kept it."""
    return _RECORDED in getattr(error, "__notes__", ())


_RECORDED = "it is in the record"


def _why(error: BotError) -> str:
    """Return why it came to nothing, without what somebody typed: a lock's reason, a word that is none."""
    match error:
        case Locked():
            return f"{error.target} is locked by {mention(error.holder_id)}"
        case UsageError():
            return error.problem[:MOST_RESULT]
        case NothingToDo() if error.why == "declined" and error.what:
            return error.what[:MOST_RESULT]
        case _:
            return _short(errors.error(error).text)


def _short(answer: str) -> str:
    """Return the first sentence of an answer, without Slack's markup: it is escaped again when it is shown.

    Whom it mentions is named when it is kept.
    """
    names = {person_id: mention(person_id) for person_id in mentioned(answer)}
    words = plain(answer, names).replace("`", "").replace("\u2060", "")
    words = words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return words.partition(". ")[0][:MOST_RESULT]
