"""Let a channel hear of a project's branches, or hear of them no more, and say so in it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from bot.answers.subscriptions import Subscribed, Unseen
from bot.errors import CircleCIError, NothingToDo
from bot.models.caller import Caller, Place
from bot.models.circleci import Project, ProjectSlug, Ref
from bot.models.patterns import is_pattern
from bot.models.rule_line import TAG
from bot.models.slack import utc_now
from bot.models.subscription import Fitting, Subscription, Wish, id_of, ref_named
from bot.operations.aloud import in_order, place_of, said, to_be_said
from bot.operations.frame import Act, Intent, acting, called
from bot.operations.hands import Hands, Subject
from bot.policy import Word
from bot.policy.globs import is_plain
from bot.store.subscriptions import MOST
from bot.watching.engine import END_MESSAGES, LISTS
from bot.watching.lately import last_week
from bot.watching.overlap import heard_already
from formatters import subscriptions as words

MOST_AT_ONCE = 20  # lists


async def subscribe(
    hands: Hands,
    caller: Caller,
    project: Project,
    wish: Wish,
    unbuilt: Sequence[str] = (),
    unseen: Unseen | None = None,
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
        is_new = await _is_new(hands, wanted)
        notes = {
            "unbuilt": unbuilt,
            "unseen": unseen,
            "lately": await last_week(hands.reads, wanted) if is_new else None,
            "heard": await _heard(hands, act, wanted) if is_new else (),
        }
        done = await _kept_and_noted(hands, act, place, wanted, notes)
        await hands.engine.put(LISTS, project.slug, when=utc_now())  # what runs now is news at its end
    return await _said(hands, act, place, done)


async def subscribe_to_all(
    hands: Hands, caller: Caller, pattern: str, wish: Wish, found: Sequence[Fitting], *, is_all: bool = True
) -> Subscribed:
    """Let the channel hear of all projects that a pattern means, as far as who asks may read them, also later.

    Where that is not known of all projects yet, it is not `is_all`. Raises NothingToDo as well where there is none: it
    may be misspelled, and would wait for ever.
    """
    place = await place_of(hands, caller)
    intent = Intent(
        Subject(title=pattern), Word.READ, f"subscribe to {pattern}", act="subscribe", idempotent=True, somewhere=True
    )
    async with acting(hands, caller, intent) as act:
        listed = [(one.slug, None) for one in found]
        readable = await hands.permissions.readable(act.caller, listed, is_current=True)
        fitting = [one for one in found if (one.slug, None) in readable]
        if not fitting:
            raise NothingToDo("no_project_fits", what=pattern)
        project = Project(slug=ProjectSlug(pattern), organization_name="", name=pattern)
        wanted = await _wanted(hands, act, place, project, wish)
        notes = {
            "fitting": tuple(one.title for one in fitting),
            "is_all": is_all,
            "heard": await _heard(hands, act, wanted) if await _is_new(hands, wanted) else (),
        }
        done = await _kept_and_noted(hands, act, place, wanted, notes)
        await hands.store.subscriptions.fit(fitting, [done.subscription])
        for one in fitting[:MOST_AT_ONCE]:  # the sweep has the others read
            await hands.engine.put(LISTS, one.slug, when=utc_now())
    return await _said(hands, act, place, done)


async def unsubscribe(hands: Hands, caller: Caller, subscription: Subscription) -> Subscribed:
    """Let the channel hear of it no more: who made it may end it whatever they may, and who may cancel its builds.

    What it ends everybody there reads, so that to read is not enough. Where we are not in that channel any more, it
    ends all the same. The messages about what is red end in a task, which waits for its turns.
    """
    place = await place_of(hands, caller, is_heard=False)
    is_own = subscription.made_by == caller.person_id
    refs = _refs(subscription, subscription.default_branch)
    subject = Subject(subscription.project_slug, subscription.project_title, next(iter(refs), None))
    if subscription.pattern:
        subject = Subject(title=subscription.pattern)
    intent = Intent(
        subject,
        Word.READ if is_own else Word.CANCEL,
        f"unsubscribe from {subject.about}",
        act="unsubscribe",
        idempotent=True,
        somewhere=is_own or bool(subscription.pattern),
    )
    async with acting(hands, caller, intent) as act:
        if not is_own:
            await _may_end(hands, act, subscription)
        titles = {one.project_slug: one.project_title for one in await _at_each(hands, subscription)}
        act.note(result=f"the channel hears no more of {subscription.line}")
        async with in_order(hands, place):
            is_again = await begun_to_end(hands, act.caller) is not None
            await hands.store.claims.claim(_ending(act.caller), subscription.model_dump_json())
            is_ended = await hands.store.subscriptions.remove(subscription, forget=False)
            if not is_ended and not is_again:
                raise NothingToDo("not_subscribed", what=subscription.project_title)
            done = Subscribed(act="ended", subscription=subscription, entry=act.entry)
            if is_ended or not await _is_begun_anew(hands, subscription):
                await to_be_said(hands, _once(act), place, words.changed(done))
        for slug, title in titles.items():
            await hands.engine.put(END_MESSAGES, subscription.channel_id, slug, title, when=utc_now())
    return await _said(hands, act, place, done)


async def begun_to_end(hands: Hands, caller: Caller) -> Subscription | None:
    """Return what a run of this delivery before has begun to end, which may be gone by now; None where none has."""
    found = await hands.store.claims.holder(_ending(caller))
    return None if found is None else Subscription.model_validate_json(found)


async def _is_begun_anew(hands: Hands, ended: Subscription) -> bool:
    """Say whether the channel hears of the same again: that it does not would be no news, but wrong."""
    return any(one.id == ended.id for one in await hands.store.subscriptions.of_channel(ended.channel_id))


def _ending(caller: Caller) -> str:
    return f"unsubscribing:{caller.delivery_id}"


async def _kept_and_noted(
    hands: Hands, act: Act, place: Place, wanted: Subscription, notes: Mapping[str, object]
) -> Subscribed:
    """Keep what is asked for, and note what the channel is to be told of that: of two who ask at once in that order."""
    async with in_order(hands, place):
        kept, now = await _kept(hands, act, wanted)
        found = Subscribed(act=_what(kept, wanted, now), subscription=now, before=kept, entry=act.entry)
        done = found.model_copy(update=notes)
        if done.act != "already":
            await to_be_said(hands, _once(act), place, words.changed(done))
        return done


async def _said(hands: Hands, act: Act, place: Place, done: Subscribed) -> Subscribed:
    """Return the answer, once the channel was told, if Slack takes it now; else it is told later."""
    if done.act == "already":
        return done
    return done.model_copy(update={"told": await said(hands, _once(act), place), "entry": act.entry})


def _once(act: Act) -> str:
    return f"subscribe-told:{act.caller.delivery_id}"


async def _is_new(hands: Hands, wanted: Subscription) -> bool:
    """Say whether nothing of the kind was kept before, but by a run of this delivery."""
    return all(
        one.id != wanted.id or one == wanted for one in await hands.store.subscriptions.of_channel(wanted.channel_id)
    )


async def _heard(hands: Hands, act: Act, wanted: Subscription) -> tuple[Subscription, ...]:
    """Return what of a new one the channel hears already, as far as who asks may look at that."""
    found = heard_already(wanted, await hands.store.subscriptions.of_channel(wanted.channel_id))
    places = {place for one in found if not one.pattern for place in _named_in(one)}
    with suppress(CircleCIError):  # else it has begun all the same, and what is not certain is not named
        readable = await hands.permissions.readable(act.caller, places)
        return tuple(one for one in found if one.pattern or readable.issuperset(_named_in(one)))
    return ()


def _named_in(one: Subscription) -> set[tuple[ProjectSlug, Ref | None]]:
    """Return what one names: its project, and each branch and tag of it."""
    names = [name.removeprefix("!") for name in one.branches if is_plain(name)]
    return {(one.project_slug, None), *((one.project_slug, ref_named(name)) for name in names)}


async def _kept(hands: Hands, act: Act, wanted: Subscription) -> tuple[Subscription, Subscription]:
    """Keep what is asked for; returns what was kept before it, or else the same, and what is now."""
    kept = await hands.store.subscriptions.add(wanted)
    if kept is None:
        raise NothingToDo("subscriptions_enough", number=MOST)
    before = await _before(hands, act, kept)
    is_own = kept.made_by == wanted.made_by
    is_left = not is_own and await _is_left(hands, kept)
    if not (is_own or is_left or _is_told_alike(kept, wanted)):
        with called("subscribe"):
            await _may_end(hands, act, kept)
    now = await _changed(hands, kept, wanted, is_left=is_left) if kept != wanted else wanted
    act.note(result=f"the channel hears of {now.line}")
    return before, now


async def _before(hands: Hands, act: Act, kept: Subscription) -> Subscription:
    """Return what was kept before it is changed, as a run of this delivery before has seen it."""
    name, seen = f"subscribe-before:{act.caller.delivery_id}", kept.model_dump_json()
    before = Subscription.model_validate_json(await hands.store.claims.claim(name, seen))
    return before if before.mark == kept.mark else kept


async def _may_end(hands: Hands, act: Act, kept: Subscription) -> None:
    """Raise NotAllowed for who may not end what somebody else subscribed: each branch of it takes the right to.

    What they may not look at they change nothing of: what is said of it there is not for them.
    """
    for slug, ref in await _places(hands, kept):
        await hands.permitted(act.caller, slug, ref, Word.CANCEL, Word.READ)


async def _is_left(hands: Hands, kept: Subscription) -> bool:
    """Say whether who made it surely may look at nothing of it any more, so that nothing would be told."""
    for slug, ref in await _places(hands, kept):
        if slug is None or not await hands.permissions.may_read_no_more(kept.maker, slug, ref):
            return False
    return True


async def _places(hands: Hands, kept: Subscription) -> list[tuple[ProjectSlug | None, Ref | None]]:
    """Return the branches that are meant; where not all of them are named, all of a project.

    Of a pattern that means no project yet, whatever it may be.
    """
    places = list[tuple[ProjectSlug | None, Ref | None]]()
    for one in await _at_each(hands, kept):
        refs = _refs(one, one.default_branch)
        places += [(one.project_slug, ref) for ref in refs] or [(one.project_slug, None)]
    return places or [(None, None)]


async def _at_each(hands: Hands, kept: Subscription) -> list[Subscription]:
    """Return one to a pattern as one to each of the projects that it means."""
    if not kept.pattern:
        return [kept]
    return [kept.at(place) for place in await hands.store.subscriptions.fitting(kept.id)]


def _refs(wish: Wish, default_branch: str) -> list[Ref]:
    """Return the branches that are meant, where each is named in full; none where that depends on what is pushed."""
    names = wish.branches or ((default_branch,) if default_branch else ())
    is_named = all(is_plain(name) and not name.startswith("!") for name in names)
    kinds = {True: "tag", False: "branch"}
    return [Ref(name=name.removeprefix(TAG), kind=kinds[name.startswith(TAG)]) for name in names if is_named]


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
        default_branch="" if is_pattern(project.slug) else project.default_branch,
        pattern=project.slug if is_pattern(project.slug) else "",
        **wish.model_dump(),
    )


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
