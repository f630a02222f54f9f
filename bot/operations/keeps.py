"""What a project keeps at CircleCI: variables, keys, caches, webhooks. What is typed is sent on, and kept nowhere."""

from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta

from pydantic import SecretStr

from bot.answers.acts import Acted, KeyAdded
from bot.errors import NothingToDo, Rejected
from bot.models.caller import Caller
from bot.models.circleci import Project, ProjectSlug
from bot.operations.frame import Act, Intent, acting
from bot.operations.hands import Hands, Subject
from bot.policy import Word

GONE = 404
AT_ONCE = timedelta(seconds=10)  # in which a second press is a double click, not a wish for another


async def set_variable(hands: Hands, caller: Caller, slug: ProjectSlug, name: str, value: SecretStr) -> Acted:
    """Set an environment variable; its value is sent on."""
    async with await _on(hands, caller, slug, Word.SECRETS, f"set {name}") as act:
        act.note(parameters=(name,))
        await hands.writes.set_variable(act.subject.slug, name, value)
    return act.done("set_variable", what=name)


async def remove_variable(hands: Hands, caller: Caller, slug: ProjectSlug, name: str) -> Acted:
    """Remove an environment variable; raises NothingToDo where it is gone."""
    async with await _on(hands, caller, slug, Word.SECRETS, f"remove {name}") as act:
        act.note(parameters=(name,))
        try:
            await hands.writes.remove_variable(act.subject.slug, name)
        except Rejected as error:
            raise _gone(error, name) from error
    return act.done("remove_variable", what=name)


async def add_checkout_key(hands: Hands, caller: Caller, slug: ProjectSlug, kind: str) -> KeyAdded:
    """Have CircleCI make a checkout key, once for this delivery; raises NothingToDo where a run of it has.

    Of two presses at once one makes it.
    """
    intent = await _intent(hands, slug, Word.KEYS, f"add {kind}")
    once = replace(intent, once=f"add-key:{intent.subject.slug}:{kind}", keep=AT_ONCE, idempotent=False)
    earlier = f"add-key:{caller.delivery_id}"
    async with acting(hands, caller, once) as act, act.sending("add-key", earlier=earlier) as first:
        if not first:
            raise NothingToDo("pressed_before", what=f"keys {act.subject.slug}")
        key = await hands.writes.add_checkout_key(act.subject.slug, kind)
        act.note(result=key.fingerprint)
    return KeyAdded(project_slug=act.subject.slug, key=key, entry=act.entry)


async def remove_checkout_key(hands: Hands, caller: Caller, slug: ProjectSlug, fingerprint: str) -> Acted:
    """Remove a checkout key; raises NothingToDo where it is gone."""
    async with await _on(hands, caller, slug, Word.KEYS, f"remove key {fingerprint}") as act:
        try:
            await hands.writes.remove_checkout_key(act.subject.slug, fingerprint)
        except Rejected as error:
            raise _gone(error, fingerprint) from error
    return act.done("remove_checkout_key", what=fingerprint)


async def add_ssh_key(hands: Hands, caller: Caller, slug: ProjectSlug, hostname: str, key: SecretStr) -> Acted:
    """Let a project's builds log in to a host, or to every host without a name."""
    async with await _on(hands, caller, slug, Word.KEYS, f"add an SSH key for {hostname or 'every host'}") as act:
        await hands.writes.add_ssh_key(act.subject.slug, hostname, key)
    return act.done("add_ssh_key", what=hostname)


async def add_heroku_key(hands: Hands, caller: Caller, key: SecretStr) -> Acted:
    """Give the token's user a Heroku key; raises NothingToDo where CircleCI takes none any more."""
    async with acting(hands, caller, Intent(Subject(), Word.KEYS, "set the Heroku key")) as act:
        try:
            await hands.writes.add_heroku_key(key)
        except Rejected as error:
            raise (NothingToDo("no_heroku") if error.status == GONE else error) from error
    return act.done("add_heroku_key")


async def clear_cache(hands: Hands, caller: Caller, slug: ProjectSlug) -> Acted:
    """Clear a project's dependency caches; `detail` is what CircleCI says. Raises NothingToDo where it cannot."""
    async with await _on(hands, caller, slug, Word.RERUN, "clear the caches") as act:
        try:
            said = await hands.writes.clear_cache(act.subject.slug)
        except Rejected as error:
            raise (NothingToDo("no_cache_clearing") if error.status in (GONE, 410) else error) from error
    return act.done("clear_cache", detail=said)


async def add_webhook(hands: Hands, caller: Caller, project: Project, address: str, secret: SecretStr) -> Acted:
    """Have CircleCI call us at `address`, unless it does already; raises Taken while somebody is at it."""
    subject, once = Subject(project.slug, project.title), f"add-webhook:{project.slug}"
    what = f"set up the webhook of {project.title}"
    async with acting(
        hands, caller, Intent(subject, Word.ADMIN, what, once=once, keep=AT_ONCE, idempotent=True)
    ) as act:
        if not any(one.url == address for one in await hands.reads.webhooks(project.id)):
            await hands.writes.add_webhook(project.id, address, secret)
    await hands.store.claims.release(once)  # CircleCI shows it from now on
    return act.done("add_webhook", what=address)


async def _on(
    hands: Hands, caller: Caller, slug: ProjectSlug, word: Word, what: str
) -> AbstractAsyncContextManager[Act]:
    return acting(hands, caller, await _intent(hands, slug, word, what))


async def _intent(hands: Hands, slug: ProjectSlug, word: Word, what: str) -> Intent:
    project = await hands.finder.any_project(slug)  # a button's spelling of it may be anybody's
    return Intent(Subject(project.slug, project.title), word, f"{what} of {project.title}", idempotent=True)


def _gone(error: Rejected, what: str) -> Exception:
    return NothingToDo("gone", what=what) if error.status == GONE else error
