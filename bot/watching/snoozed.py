"""Whether a channel has snoozed a branch: that holds for all that becomes red in it, by whichever of its builds."""

from collections.abc import Iterable

from bot.models.circleci import ProjectSlug
from bot.models.red import Branch
from bot.models.subscription import key_of, named_in, ref_named
from bot.store import Store


async def snooze_of(store: Store, channel_id: str, slug: ProjectSlug, key: str) -> Branch | None:
    """Return whose snooze lasts of what a channel knows under this name, or of all of its branch; None for none.

    What the channel was told is red has a message that says so of its own snooze, which can be ended by itself.
    """
    own = await store.subscriptions.known(channel_id, slug, key)
    if own is not None and await _lasts(store, own):
        return own
    if own is not None and own.is_red and own.is_told_red:
        return None
    for other in await others_of(store, channel_id, slug, key):
        state = await store.subscriptions.known(channel_id, slug, other)
        if state is not None and (state.is_of_all or other == named_in(other)) and await _lasts(store, state):
            return state
    return None


async def _lasts(store: Store, state: Branch) -> bool:
    return state.snoozed_until is not None and state.is_snoozed(await store.now())


async def others_of(store: Store, channel_id: str, slug: ProjectSlug, key: str) -> Iterable[str]:
    """Return under which other names the channel may know the branch, by what its rules are about."""
    name = named_in(key)
    rules = [one for one in await store.subscriptions.of_project(slug) if one.channel_id == channel_id]
    known_as = (key_of(name, rule.scope) for rule in rules if rule.wants_ref(ref_named(name)))
    return [one for one in dict.fromkeys(known_as) if one != key]
