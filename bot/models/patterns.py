"""Which projects a pattern means: `acme/*` those of an organisation, `gh/acme/web-*` some of those of a host. Pure."""

from collections.abc import Sequence

from bot.models.globs import matches
from bot.models.slugs import VCS, spelled_alike


def is_pattern(project: str) -> bool:
    """Say whether it means several projects, also those that come later."""
    return "*" in project


def organization(pattern: str) -> str:
    """Return the organisation whose projects a pattern means; empty text where it names none in full."""
    *before, owner, _ = ["", *pattern.split("/")]
    is_known = len(before) <= 1 or (len(before) == 2 and before[1].lower() in VCS)
    is_whole = owner and "*" not in "".join([*before, owner])
    return owner if is_known and is_whole and (len(before) == 2 or owner.lower() not in VCS) else ""


def fits(patterns: Sequence[str], slug: str, title: str) -> bool:
    """Say whether a project is meant: by its slug or by what people call it, and by none with a `!`."""
    alike = [f"!{spelled_alike(one[1:])}" if one.startswith("!") else spelled_alike(one) for one in patterns]
    return matches(alike, [spelled_alike(slug), title.lower()])
