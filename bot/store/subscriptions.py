"""What channels have subscribed to, and what each of them was told of a branch."""

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import cast

from bot.errors import StoreError
from bot.models.circleci import ProjectSlug
from bot.models.red import Branch
from bot.models.slack import utc_now
from bot.models.slugs import spelled_alike
from bot.models.subscription import Fitting, Subscription
from bot.store.connection import Connection, decoded, or_none
from bot.store.fence import NO_WAIT
from bot.store.fence import held as fenced
from bot.store.orphans import ASIDE, Orphans
from bot.store.places import Places

MOST = 50  # subscriptions of a channel
MOST_BRANCHES = 500  # of a project that a channel is told about
KEPT = timedelta(days=90)  # since something of one of them was judged
MOST_TRIES = 5
JUST_MADE = timedelta(hours=1)  # all projects that a pattern means are found by then

# Adds one under its id, and the id to those of its project and its channel, unless it is there; returns what is kept,
# and 0 where the channel has too many.
_ADD = """
local kept = redis.call('HGET', KEYS[1], ARGV[1])
if kept then return kept end
local mine = redis.call('HGET', KEYS[3], ARGV[3]) or ''
local _, count = string.gsub(mine, '%S+', '')
if count >= tonumber(ARGV[5]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[4])
redis.call('HSET', KEYS[3], ARGV[3], mine .. ARGV[1] .. ' ')
redis.call('HSET', KEYS[2], ARGV[2], (redis.call('HGET', KEYS[2], ARGV[2]) or '') .. ARGV[1] .. ' ')
return ARGV[4]
"""

# Removes one from under its id, and the id from those of its project and its channel; 0 where it is not as it was seen.
_REMOVE = """
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[4] then return 0 end
for place = 2, 3 do
  local kept = {}
  for id in string.gmatch(redis.call('HGET', KEYS[place], ARGV[place]) or '', '%S+') do
    if id ~= ARGV[1] then kept[#kept + 1] = id .. ' ' end
  end
  if #kept == 0 then redis.call('HDEL', KEYS[place], ARGV[place])
  else redis.call('HSET', KEYS[place], ARGV[place], table.concat(kept)) end
end
return redis.call('HDEL', KEYS[1], ARGV[1])
"""

# Keeps what a channel was told under the name that its project has by now. Where it is known there already how a branch
# stands, that holds, and the older message is to end.
_MOVED = (
    ASIDE
    + """
local function move(before, after, orphans, title)
  if redis.call('EXISTS', before) == 0 or redis.call('RENAMENX', before, after) == 1 then return end
  local known = redis.call('HGETALL', before)
  for at = 1, #known, 2 do
    if redis.call('HSETNX', after, known[at], known[at + 1]) == 0 then aside(orphans, title, known[at + 1], 'true') end
  end
  redis.call('DEL', before)
end
"""
)

# Keeps one under the name that its project has by now, if nobody has changed it, and with it what its channel was told.
_MOVE = (
    _MOVED
    + """
local all, projects, before, after, orphans = unpack(KEYS)
local id, seen, moved, old, new, title = unpack(ARGV)
if redis.call('HGET', all, id) ~= seen then return 0 end
local kept = {}
for one in string.gmatch(redis.call('HGET', projects, old) or '', '%S+') do
  if one ~= id then kept[#kept + 1] = one .. ' ' end
end
if #kept == 0 then redis.call('HDEL', projects, old) else redis.call('HSET', projects, old, table.concat(kept)) end
redis.call('HSET', projects, new, (redis.call('HGET', projects, new) or '') .. id .. ' ')
redis.call('HSET', all, id, moved)
move(before, after, orphans, title)
return 1
"""
)

# The same for what its channel was told alone.
_RENAME = f"{_MOVED} move(KEYS[1], KEYS[2], KEYS[3], ARGV[1])"

# Returns those whose ids are kept under a project or a channel, as they are in one moment.
_OF = """
local found = {}
for id in string.gmatch(redis.call('HGET', KEYS[2], ARGV[1]) or '', '%S+') do
  found[#found + 1] = redis.call('HGET', KEYS[1], id)
end
return found
"""

# Returns those to a project, then what is known of it, and those to patterns that mean it.
_OF_PROJECT = """
local exact, fitting = {}, {}
for id in string.gmatch(redis.call('HGET', KEYS[2], ARGV[1]) or '', '%S+') do
  exact[#exact + 1] = redis.call('HGET', KEYS[1], id)
end
local place = redis.call('HGET', KEYS[3], ARGV[1])
if place then
  for _, id in ipairs(cjson.decode(place)['rules']) do fitting[#fitting + 1] = redis.call('HGET', KEYS[1], id) end
end
return {exact, place or '', fitting}
"""

# Puts what a channel knows of a branch in the place of what was seen; 0 where it has changed. Of too many branches the
# one goes whose newest build is oldest, green ones first, then those without a message; one that has a message is kept
# apart until that says so.
_KNOW = """
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
if redis.call('HLEN', KEYS[1]) <= tonumber(ARGV[5]) then return 1 end
local oldest, least, data
local all = redis.call('HGETALL', KEYS[1])
for at = 1, #all, 2 do
  local one = cjson.decode(all[at + 1])
  local stands = type(one['root_ts']) == 'string'
  local rank = one['number'] + (one['red_since'] > 0 and 1e12 or 0) + (stands and 2e12 or 0)
  if all[at] ~= ARGV[1] and (not least or rank < least) then oldest, least, data = all[at], rank, all[at + 1] end
end
redis.call('HDEL', KEYS[1], oldest)
if least >= 2e12 then
  redis.call('HSET', KEYS[2], KEYS[1] .. ' ' .. oldest, data)
  redis.call('EXPIRE', KEYS[2], ARGV[4])
end
return 1
"""


class Subscriptions:
    """They stay until somebody removes them. What another version alone can read is left out of the lists."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._all = connection.key("subscriptions")
        self._projects = connection.key("subscriptions:projects")
        self._channels = connection.key("subscriptions:channels")
        self._add, self._remove = connection.script(_ADD), connection.script(_REMOVE)
        self._places = Places(connection)
        self.orphans = Orphans(connection)
        self._of, self._know, self._move = map(connection.script, (_OF, _KNOW, _MOVE))
        self._of_project, self._rename = map(connection.script, (_OF_PROJECT, _RENAME))

    async def add(self, one: Subscription) -> Subscription | None:
        """Keep a new one, unless there is one of its id; returns that which is kept.

        None where its channel has as many as it may. Raises Unreadable for one that another version wrote. What the
        channel was told while it heard of a branch before is forgotten: what became of that since, nobody knows. What
        is forgotten leaves its messages to `orphans`.
        """
        if all(other.id != one.id for other in await self.of_channel(one.channel_id)):
            await self.forget_unheard(one.channel_id, one.project_slug, one.project_title)
        keys = [self._all, self._projects, self._channels]
        args: list[str | int] = [one.id, spelled_alike(one.project_slug), one.channel_id, one.model_dump_json(), MOST]
        kept = await self._connection.ask(self._add(keys=keys, args=args))
        return decoded(Subscription, kept) if kept else None

    async def remove(self, one: Subscription, *, forget: bool = True) -> bool:
        """Forget one, and what was told of branches that its channel hears of no more; False where it was gone.

        One that was begun anew under its id is another one, and stays. Whoever has messages to end forgets that by
        themselves, after it.
        """
        gone = await self._removed(one)
        for place in await self._meant(one) if forget else ():
            await self.forget_unheard(one.channel_id, place.slug, place.title)
        return gone

    async def _removed(self, one: Subscription) -> bool:
        keys = [self._all, self._projects, self._channels]
        for _ in range(MOST_TRIES):
            data = await self._data(one.id)
            if data is None or (kept := decoded(Subscription, data)).mark != one.mark:
                return False
            args: list[str | int] = [kept.id, spelled_alike(kept.project_slug), kept.channel_id, data]
            if await self._connection.ask(self._remove(keys=keys, args=args)):
                return True
        raise StoreError(f"the subscription {one.id} changes all the time")

    async def _meant(self, one: Subscription) -> list[Fitting]:
        """Return the projects that one is about."""
        named = Fitting(slug=one.project_slug, title=one.project_title)
        return await self.fitting(one.id) if one.pattern else [named]

    async def forget_unheard(self, channel_id: str, slug: ProjectSlug, title: str) -> None:
        """Forget what a channel was told of those branches of a project that none of its subscriptions is about.

        Nothing is while another version alone can read one of them: it may be about any branch.
        """
        of_project, is_all = await self._rules_of(slug)
        if not is_all:
            return
        rules = [rule for rule in of_project if rule.channel_id == channel_id]
        key = self._known(channel_id, slug)
        names = await self._connection.ask(cast("Awaitable[list[str]]", self._connection.redis.hkeys(key)))
        unheard = [name for name in names if not any(rule.hears(name) for rule in rules)]
        if unheard:
            await self.orphans.take(key, unheard, title)

    async def get(self, subscription_id: str) -> Subscription | None:
        """Return the one with this id; raises Unreadable for one that another version wrote."""
        data = await self._data(subscription_id)
        return decoded(Subscription, data) if data is not None else None

    async def all(self) -> list[Subscription]:
        """Return all of them, the oldest first."""
        kept = cast("Awaitable[dict[str, str]]", self._connection.redis.hgetall(self._all))
        return _read((await self._connection.ask(kept)).values())

    async def of_channel(self, channel_id: str) -> list[Subscription]:
        """Return those of a channel, the oldest first."""
        return await self._listed(self._channels, channel_id)

    async def of_project(self, slug: ProjectSlug) -> list[Subscription]:
        """Return those to a project, however its slug is spelled, the oldest first; those to patterns as to it."""
        return (await self._rules_of(slug))[0]

    async def _rules_of(self, slug: ProjectSlug) -> tuple[list[Subscription], bool]:
        """Return those to a project, and whether that is all of them, as this version could read each."""
        keys = [self._all, self._projects, self._places.key]
        found = await self._connection.ask(self._of_project(keys=keys, args=[spelled_alike(slug)]))
        exact, data, fitting = cast("tuple[list[str], str, list[str]]", found)
        place = or_none(Fitting, data or None)
        named, meant = _read(exact), _read(fitting)
        is_all = len(named) + len(meant) == len(exact) + len(fitting) and bool(place or not data)
        return _in_order([*named, *(one.at(place) for one in meant if place)]), is_all

    async def projects(self) -> list[ProjectSlug]:
        """Return the projects with subscriptions, each once."""
        rules = await self.all()
        ids = {rule.id for rule in rules if rule.pattern}
        named = [rule.project_slug for rule in rules if not rule.pattern]
        fitting = [place.slug for place in (await self._places.all()).values() if ids.intersection(place.rules)]
        return [*{spelled_alike(slug): slug for slug in (*fitting, *named)}.values()]

    async def fitting(self, subscription_id: str) -> list[Fitting]:
        """Return the projects that the pattern of a subscription means, as far as they have been found."""
        places = (await self._places.all()).values()
        return sorted((one for one in places if subscription_id in one.rules), key=lambda one: one.title)

    async def fit(self, found: Sequence[Fitting], rules: Sequence[Subscription]) -> None:
        """Let these subscriptions to patterns mean those of the projects that they fit, and no others of them.

        What one means only now it means from now on; what is found soon after it was made, since then.
        """
        known, ids, now = await self._places.all(), {rule.id for rule in rules}, utc_now()
        for one in found:
            fit = [rule for rule in rules if rule.fits(one.slug, one.title)]
            before = ids.intersection(known.get(spelled_alike(one.slug), one).rules)
            for channel_id in {rule.channel_id for rule in fit if rule.id not in before}:
                await self.forget_unheard(channel_id, one.slug, one.title)
            if before != {rule.id for rule in fit}:
                since = {rule.id: rule.made_at if now - rule.made_at < JUST_MADE else now for rule in fit}
                await self._places.change(one, ids, since)

    async def pause(self, one: Subscription, reason: str) -> bool:
        """Note why nothing can be told, or with no reason that it can again; False where that was known, or it is gone.

        Who gets True is the one to tell of it.
        """
        return await self.change(one.id, lambda kept: kept.model_copy(update={"paused": reason})) is not None

    async def change(self, subscription_id: str, change: Callable[[Subscription], Subscription]) -> Subscription | None:
        """Change one; None where nothing of it changed, or it is gone. `change` is pure, and may be asked again."""
        for _ in range(MOST_TRIES):
            data = await self._data(subscription_id)
            if data is None:
                return None
            before = decoded(Subscription, data)
            if (after := change(before)) == before:
                return None
            if await self._connection.swap_field(self._all, subscription_id, data, after.model_dump_json()):
                return after
        raise StoreError(f"the subscription {subscription_id} changes all the time")

    async def is_by_now(self, one: Subscription, slug: ProjectSlug, title: str, branch: str) -> None:
        """Note what its project, and the default branch of that, are called by now."""
        if one.pattern:
            await self._place_is_by_now(one, Fitting(slug=slug, title=title, default_branch=branch))
            return
        if (old := spelled_alike(one.project_slug)) == (new := spelled_alike(slug)):
            await self.change(one.id, lambda kept: kept.model_copy(update={"default_branch": branch}))
            return
        if (data := await self._data(one.id)) is None:
            return
        now = {"project_slug": slug, "project_title": title, "default_branch": branch}
        moved = decoded(Subscription, data).model_copy(update=now).model_dump_json()
        known = [self._known(one.channel_id, name) for name in (one.project_slug, slug)]
        await self._note_renamed(one.project_slug, slug)
        keys = [self._all, self._projects, *known, self.orphans.key]
        await self._connection.ask(self._move(keys=keys, args=[one.id, data, moved, old, new, json.dumps(title)]))

    async def _note_renamed(self, slug: ProjectSlug, now: ProjectSlug) -> None:
        put = self._connection.redis.set(
            self._connection.key("subscriptions:renamed", spelled_alike(slug)), now, ex=KEPT
        )
        await self._connection.ask(put)

    async def now_called(self, slug: ProjectSlug) -> ProjectSlug:
        """Return what a project is called by now, as far as that was noticed: messages bear the name that it had."""
        for _ in range(MOST_TRIES):
            found = self._connection.redis.get(self._connection.key("subscriptions:renamed", spelled_alike(slug)))
            after = await self._connection.ask(found)
            if not after or await self.of_project(slug):
                break
            slug = ProjectSlug(str(after))
        return slug

    async def _place_is_by_now(self, one: Subscription, now: Fitting) -> None:
        """Note the same of a project that a pattern means; under another name it is meant by what fits that."""
        if spelled_alike(one.project_slug) == spelled_alike(now.slug):
            named = {"slug": now.slug, "title": now.title, "default_branch": now.default_branch}
            await self._places.save(now, lambda kept: kept.model_copy(update=named))
            return
        await self._places.change(now.model_copy(update={"slug": one.project_slug}), {one.id}, {})
        if one.fits(now.slug, now.title):
            await self._places.change(now, (), {one.id: one.hears_since})
            await self._note_renamed(one.project_slug, now.slug)
            known = [self._known(one.channel_id, slug) for slug in (one.project_slug, now.slug)]
            keys = [*known, self.orphans.key]
            await self._connection.ask(self._rename(keys=keys, args=[json.dumps(now.title)]))
        else:
            await self.forget_unheard(one.channel_id, one.project_slug, one.project_title)

    async def known(self, channel_id: str, slug: ProjectSlug, branch: str) -> Branch | None:
        """Return what a channel was told of a branch; None where nobody here knows."""
        return _named(or_none(Branch, await self._known_data(channel_id, slug, branch)), slug)

    async def known_of(self, channel_id: str, slug: ProjectSlug) -> list[Branch]:
        """Return what a channel was told of all branches of a project."""
        kept = cast("Awaitable[list[str]]", self._connection.redis.hvals(self._known(channel_id, slug)))
        found = [_named(or_none(Branch, data), slug) for data in await self._connection.ask(kept)]
        return [one for one in found if one]

    async def forget(self, channel_id: str, slug: ProjectSlug, branch: str) -> None:
        """Forget what a channel was told of a branch: what is next heard of it is as of a new one."""
        await self._connection.ask(self._connection.redis.hdel(self._known(channel_id, slug), branch))

    async def forsake(self, channel_id: str, slug: ProjectSlug, branch: str, title: str) -> None:
        """Do that, and leave its message to `orphans`."""
        await self.orphans.take(self._known(channel_id, slug), [branch], title)

    async def know(self, channel_id: str, slug: ProjectSlug, branch: str, change: Callable[[Branch], Branch]) -> Branch:
        """Change what a channel was told of a branch, of which nothing may be known; returns it as it is kept.

        `change` is pure, and asked again where somebody else has changed it meanwhile.
        """
        key = self._known(channel_id, slug)
        for _ in range(MOST_TRIES):
            data = await self._known_data(channel_id, slug, branch)
            before = _named(or_none(Branch, data), slug)
            before = before or Branch(channel_id=channel_id, project_slug=slug, branch=branch)
            after = change(before)
            args: list[str | int] = [
                branch,
                data or "",
                after.model_dump_json(),
                int(KEPT.total_seconds()),
                MOST_BRANCHES,
            ]
            if await self._connection.ask(self._know(keys=[key, self._connection.key("red:forgotten")], args=args)):
                if after.root_ts and after.root_ts != before.root_ts:
                    await self._is_thread_of(after)
                return after
        raise StoreError(f"what is known of {branch} changes all the time")

    async def _is_thread_of(self, state: Branch) -> None:
        key = self._thread(state.channel_id, state.root_ts or "")
        put = self._connection.redis.set(key, f"{state.project_slug} {state.branch}", ex=KEPT)
        await self._connection.ask(put)

    async def of_thread(self, channel_id: str, thread_ts: str) -> Branch | None:
        """Return the branch whose message a thread hangs on, or hung on while it was red; None where it is of none."""
        found = await self._connection.ask(self._connection.redis.get(self._thread(channel_id, thread_ts)))
        slug, _, branch = str(found or "").partition(" ")
        return await self.known(channel_id, await self.now_called(ProjectSlug(slug)), branch) if branch else None

    def _thread(self, channel_id: str, thread_ts: str) -> str:
        return self._connection.key("red:thread", f"{channel_id}:{thread_ts}")

    def fenced(
        self, channel_id: str, slug: ProjectSlug, branch: str, lease: timedelta, *, wait: timedelta = NO_WAIT
    ) -> AbstractAsyncContextManager[bool]:
        """Let one at a time tell a channel about a branch; says whether it was had within `wait`."""
        name = self._connection.key("fence", f"red:{channel_id}:{spelled_alike(slug)}:{branch}")
        return fenced(self._connection, name, lease, wait=wait)

    async def _data(self, subscription_id: str) -> str | None:
        found = cast("Awaitable[str | None]", self._connection.redis.hget(self._all, subscription_id))
        return await self._connection.ask(found)

    async def _listed(self, key: str, name: str) -> list[Subscription]:
        return _read(await self._connection.ask(self._of(keys=[self._all, key], args=[name])))

    async def _known_data(self, channel_id: str, slug: ProjectSlug, branch: str) -> str | None:
        found = self._connection.redis.hget(self._known(channel_id, slug), branch)
        return await self._connection.ask(cast("Awaitable[str | None]", found))

    def _known(self, channel_id: str, slug: ProjectSlug) -> str:
        return self._connection.key("red", f"{channel_id}:{spelled_alike(slug)}")


def _read(kept: object) -> list[Subscription]:
    found = [or_none(Subscription, data) for data in cast("list[str]", kept)]
    return _in_order(one for one in found if one)


def _in_order(found: Iterable[Subscription]) -> list[Subscription]:
    return sorted(found, key=lambda one: (one.made_at, one.id))


def _named(state: Branch | None, slug: ProjectSlug) -> Branch | None:
    """Return how a branch stands under the name by which its project was looked up: it may have had another then."""
    if state is None or spelled_alike(state.project_slug) == spelled_alike(slug):
        return state
    posting = _named(state.posting, slug)
    return state.model_copy(update={"project_slug": slug, "posting": posting})
