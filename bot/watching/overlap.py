"""What of a subscription its channel hears already, by others that it has. Pure."""

from collections.abc import Iterable, Sequence

from bot.models.circleci import Ref
from bot.models.rule_line import TAG
from bot.models.slugs import spelled_alike
from bot.models.subscription import Event, Fitting, Subscription
from bot.policy.globs import is_plain
from bot.watching.branches import wanted_by_both

_A_TAG = Ref(name="v1.0", kind="tag")


def heard_already(now: Subscription, others: Iterable[Subscription]) -> list[Subscription]:
    """Return others of its channel, of each only what is told by both: of these branches or tags, these events.

    Of two globs, as far as their words tell: `release/v2*` is a part of `release/*`, and what both of `a*` and `*b` fit
    is left out. One that is paused tells nothing.
    """
    pairs = [_at_one_place(now, one) for one in others if one.id != now.id and not one.paused]
    return [found for pair in pairs if pair for found in _shared(*pair)]


def _at_one_place(now: Subscription, other: Subscription) -> tuple[Subscription, Subscription] | None:
    """Return both as to the project, or the pattern of projects, that both mean; None where there is none for sure."""
    if spelled_alike(now.project_slug) == spelled_alike(other.project_slug):
        return now, other
    if not now.pattern and other.fits(now.project_slug, now.project_title):
        return now, _to(now, other)
    if not other.pattern and now.fits(other.project_slug, other.project_title):
        return _to(other, now), other
    return None


def _to(place: Subscription, one: Subscription) -> Subscription:
    """Return one to a pattern as it is to the project of another one."""
    to = Fitting(slug=place.project_slug, title=place.project_title, default_branch=place.default_branch)
    return one.at(to).model_copy(update={"pattern": "", "left_out": ()})


def _shared(now: Subscription, other: Subscription) -> list[Subscription]:
    """Return what both tell of the same builds: of branches, and of tags."""
    if _differ(now.by.lower(), other.by.lower()) or _differ(now.workflows, other.workflows):
        return []
    left_out = tuple(dict.fromkeys((*now.left_out, *other.left_out)))
    narrower = {"by": now.by or other.by, "workflows": now.workflows or other.workflows, "left_out": left_out}
    found = list[Subscription]()
    for is_tag in (False, True):
        names, ref = _names(now, other, is_tag=is_tag), _A_TAG if is_tag else None
        events = wanted_by_both(now.events_of(ref), other.events_of(ref))
        events = [event for event in events if not (is_tag and event is Event.STILL_RED)]
        if names and events:
            of_default = names == [""]  # of each project of a pattern its own
            told = {"branches": () if of_default else tuple(names), "events": tuple(events)}
            found.append(other.model_copy(update={**told, **narrower}))
    return found


def _differ(one: object, other: object) -> bool:
    """Say whether both are narrowed, and not alike."""
    return bool(one and other) and one != other


def _names(now: Subscription, other: Subscription, *, is_tag: bool) -> list[str]:
    """Return the branches or tags, or the globs of such, by which either is named and which both mean."""
    both, sign = (now, other), TAG if is_tag else ""
    named = dict.fromkeys(name for one in both for name in _named(one, is_tag=is_tag))
    meant = [name for name in named if all(_means(one, name, now, is_tag=is_tag) for one in both)]
    unmeant = [name for one in both for name in one.of(tags=is_tag) if name.startswith("!")]
    but = dict.fromkeys(f"!{sign}{name[1:]}" for name in unmeant if not all(map(is_plain, meant)))
    return [*(f"{sign}{name}" for name in meant), *(but if meant else ())]


def _named(one: Subscription, *, is_tag: bool) -> Sequence[str]:
    if not one.branches and not is_tag:
        return [one.default_branch]
    globs = one.of(tags=is_tag)
    named = [name for name in globs if not name.startswith("!")]
    return named or ["*"] * bool(globs)


def _means(one: Subscription, name: str, now: Subscription, *, is_tag: bool) -> bool:
    return one.wants_ref(Ref(name=name, kind="tag")) if is_tag else one.wants(name, now.default_branch)
