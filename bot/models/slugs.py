"""How a project's slug is spelled: code hosts, and CircleCI with them, take any case and two names for a host."""

VCS = {"gh": "gh", "github": "gh", "bb": "bb", "bitbucket": "bb", "circleci": "circleci"}


def short(slug: str) -> str:
    """Return a slug with the short name of its code host, as CircleCI's API v2 spells it."""
    host, _, rest = slug.partition("/")
    return f"{VCS[host.lower()]}/{rest}" if "/" in rest and host.lower() in VCS else slug


def spelled_alike(slug: str) -> str:
    """Return the same text for all spellings of a slug, a title or an alias; ids keep their case, which counts."""
    spelled = short(slug)
    return spelled if spelled.startswith("circleci/") else spelled.lower()
