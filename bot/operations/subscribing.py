"""Let a channel hear of a project's branches, or hear of them no more, and say so in it."""

from collections.abc import Sequence
from datetime import datetime

from bot.answers.subscriptions import Subscribed
from bot.errors import NothingToDo
from bot.models.caller import Caller, Place
from bot.models.circleci import Project, Ref
from bot.models.slack import utc_now
from bot.models.slugs import spelled_alike
from bot.models.subscription import Subscription, Wish, id_of
from bot.operations.aloud import place_of, said
from bot.operations.frame import Act, Intent, acting
from bot.operations.hands import Hands, Subject
from bot.policy import Word
from bot.policy.globs import is_plain
from bot.store.subscriptions import MOST
from bot.watching.engine import LISTS
from formatters import subscriptions as words


async def subscribe(
    hands: Hands, caller: Caller, project: Project, wish: Wish, unbuilt: Sequence[str] = ()
) -> Subscribed:
    """Let the channel hear of it: it takes the right to read each branch that is named, or else all of the project.

    The same is kept once, and one that was paused goes on. Where another mode or mention is asked for than somebody
    else did, that takes what it takes to end it. One whose maker is gone goes on in the name of who asks.
    Raises NothingToDo outside of a channel that hears us, and where it has subscribed to too much.
    """
    place = await place_of(hands, caller)
    refs = _refs(wish, project.default_branch)
    subject = Subject(project.slug, project.title, next(iter(refs), None))
    intent = Intent(subject, Word.READ, f"subscribe to {subject.about}", act="subscribe", idempotent=True)
    async with acting(hands, caller, intent) as act:
        for ref in refs[1:]:
            await hands.permitted(act.caller, project.slug, ref, Word.READ)
        wanted = await _wanted(hands, act, place, project, wish)
        kept = await hands.store.subscriptions.add(wanted)
        if kept is None:
            raise NothingToDo("subscriptions_enough", number=MOST)
        is_left = kept.made_by != caller.person_id and await _is_left(hands, kept)
        if not (kept.made_by == caller.person_id or is_left or _is_told_alike(kept, wanted)):
            await _may_end(hands, act, kept)
        now = await _changed(hands, kept, wanted, is_left=is_left) if kept != wanted else wanted
        act.note(result=f"the channel hears of {now.line}")
        await hands.engine.put(LISTS, project.slug, when=utc_now())  # what runs now is news at its end
    found = Subscribed(act=_what(kept, wanted, now), subscription=now, before=kept, unbuilt=unbuilt, entry=act.entry)
    if found.act == "already":
        return found
    told = await said(hands, f"subscribe-told:{act.caller.delivery_id}", place, words.changed(found))
    return found.model_copy(update={"told": told})


async def unsubscribe(hands: Hands, caller: Caller, subscription: Subscription) -> Subscribed:
    """Let the channel hear of it no more: who made it may end it whatever they may, and who may cancel its builds.

    What it ends everybody there reads, so that to read is not enough.
    """
    place = await place_of(hands, caller)
    refs = _refs(subscription, subscription.default_branch)
    is_own = subscription.made_by == caller.person_id
    subject = Subject(subscription.project_slug, subscription.project_title, next(iter(refs), None))
    word = Word.READ if is_own else Word.CANCEL
    what = f"unsubscribe from {subject.about}"
    intent = Intent(subject, word, what, act="unsubscribe", idempotent=True, somewhere=is_own)
    async with acting(hands, caller, intent) as act:
        if not is_own:
            await _may_end(hands, act, subscription)
        others = [one for one in await hands.store.subscriptions.of_channel(place.channel_id) if one != subscription]
        of_project = [one for one in others if spelled_alike(one.project_slug) == spelled_alike(subject.slug)]
        forsaken = await hands.roots.forsaken(place.channel_id, subject.slug, of_project)
        if not await hands.store.subscriptions.remove(subscription):
            raise NothingToDo("not_subscribed", what=subscription.project_title)
        act.note(result=f"the channel hears no more of {subscription.line}")
        await hands.roots.forsake(forsaken, subject.title)
    found = Subscribed(act="ended", subscription=subscription, entry=act.entry)
    told = await said(hands, f"subscribe-told:{act.caller.delivery_id}", place, words.changed(found))
    return found.model_copy(update={"told": told})


def _refs(wish: Wish, default_branch: str) -> list[Ref]:
    """Return the branches that are meant, where each is named in full; none where that depends on what is pushed."""
    names = wish.branches or ((default_branch,) if default_branch else ())
    is_named = all(is_plain(name) and not name.startswith("!") for name in names)
    return [Ref(name=name) for name in names] if is_named else []


def _places(kept: Subscription) -> list[Ref | None]:
    """Return the branches that are meant; where not all of them are named, all of the project."""
    return [*_refs(kept, kept.default_branch)] or [None]


async def _wanted(hands: Hands, act: Act, place: Place, project: Project, wish: Wish) -> Subscription:
    """Return what is to be kept; a run of this delivery before has made the same."""
    made_at = await hands.store.claims.claim(f"subscribe-at:{act.caller.delivery_id}", utc_now().isoformat())
    return Subscription(
        id=id_of(place.channel_id, project.id or project.slug, wish),
        channel_id=place.channel_id,
        made_by=act.caller.person_id,
        made_by_name=act.caller.called,
        team_id=act.caller.team_id,
        made_at=datetime.fromisoformat(made_at),
        project_slug=project.slug,
        project_id=project.id,
        project_title=project.title,
        default_branch=project.default_branch,
        **wish.model_dump(),
    )


async def _may_end(hands: Hands, act: Act, kept: Subscription) -> None:
    """Raise NotAllowed for who may not end what somebody else subscribed: each branch of it takes the right to."""
    for ref in _places(kept):
        await hands.permitted(act.caller, kept.project_slug, ref, Word.CANCEL)


async def _is_left(hands: Hands, kept: Subscription) -> bool:
    """Say whether who made it surely may look at nothing of it any more, so that nothing would be told."""
    for ref in _places(kept):
        if not await hands.permissions.may_read_no_more(kept.maker, kept.project_slug, ref):
            return False
    return True


async def _changed(hands: Hands, kept: Subscription, wanted: Subscription, *, is_left: bool) -> Subscription:
    """Return one that is there already as it is asked for now; whose it has become meanwhile was not asked about."""

    def change(before: Subscription) -> Subscription:
        if before.made_by != kept.made_by:
            return before
        asked = {name: getattr(wanted, name) for name in ("mode", "mention", "mention_name", "project_title")}
        by = {name: getattr(wanted, name) for name in ("made_by", "made_by_name", "team_id")} if is_left else {}
        return before.model_copy(update={**asked, **by, "paused": ""})

    return await hands.store.subscriptions.change(kept.id, change) or kept


def _is_told_alike(one: Wish, other: Wish) -> bool:
    return (one.mode, one.mention) == (other.mode, other.mention)


def _what(kept: Subscription, wanted: Subscription, now: Subscription) -> str:
    if kept == wanted:
        return "began"
    return "already" if kept == now else "changed"
