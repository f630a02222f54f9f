"""Keeps the record of what people did: every act that takes more than reading, done or refused."""

import sys
from contextvars import ContextVar
from datetime import timedelta

import structlog

from bot.errors import StoreError
from bot.models.audit import Entry
from bot.models.slack import Click, Invocation, utc_now
from bot.policy import Word
from bot.store import Store

MOST_WHAT, MOST_RESULT = 300, 160
OURSELVES = "the bot itself"
log = structlog.get_logger(__name__)


# What is being done: the word it takes, and the command line or the button. Not bound to the log, where a command's
# parameters have no business.
_act: ContextVar[tuple[str, str]] = ContextVar("act", default=(Word.READ, ""))


def begin(word: str, what: str) -> None:
    """Say what this task is about to do, for the record."""
    _act.set((word, what))


class Auditor:
    """Writes entries; what an act found out on its way (the rule, the project, the pipeline) it bound to the log."""

    def __init__(self, store: Store, keep: timedelta, *, to_output: bool) -> None:
        self._store = store
        self._keep = keep
        self._to_output = to_output

    async def note(self, said: Invocation | Click, result: str) -> None:
        """Keep what this task did, unless it only read."""
        word, what = _act.get()
        if word == Word.READ:
            return
        found = structlog.contextvars.get_contextvars()
        entry = Entry(
            at=utc_now(),
            user_id=said.user_id,
            user_name=said.user_name,
            team_id=said.team_id,
            channel_id=said.channel_id,
            word=word,
            what=what[:MOST_WHAT],
            about=str(found.get("about") or ""),
            rule=str(found.get("rule") or ""),
            result=f"{found['result']}; {_short(result)}" if found.get("result") else _short(result),
            request=str(found.get("request") or ""),
        )
        await self._keep_entry(entry)

    async def note_own(self, word: str, what: str, about: str, result: str) -> None:
        """Keep what the bot did by itself."""
        entry = Entry(at=utc_now(), user_id="", user_name=OURSELVES, channel_id="", word=word, what=what, about=about)
        await self._keep_entry(entry.model_copy(update={"result": result}))

    async def _keep_entry(self, entry: Entry) -> None:
        if self._to_output:
            sys.stdout.write(entry.model_dump_json() + "\n")
            sys.stdout.flush()
        try:
            await self._store.audit.add(entry, self._keep)
        except StoreError as error:
            log.error("audit_not_kept", error=str(error))  # noqa: TRY400  # what was done is done


def _short(answer: str) -> str:
    """Return the first sentence of an answer, without Slack's entities: it is escaped again when it is shown."""
    plain = answer.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return plain.partition(". ")[0][:MOST_RESULT]
