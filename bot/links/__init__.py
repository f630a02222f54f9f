"""Pasted links: what a page of CircleCI's or of a code host's is about, or a refusal that names the piece. Pure.

A page that nobody taught us is no default: whoever names anything gets that, or a word on the piece we cannot read.
"""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import SplitResult, unquote, urlsplit

from bot.errors import UsageError
from bot.links import circleci, pages
from bot.links.reading import NAME_THEM, NoProject, Query, Unread, project_slug
from bot.models.circleci import ProjectSlug
from bot.models.spelling import HOSTS
from bot.models.target import Target
from bot.refs import can_be_shown
from bot.settings import Projects

# Slack shows a link without its scheme, and that is what people copy.
_LINK = re.compile(f"(?:https?|ssh)://|git@|(?:www\\.)?(?:{'|'.join(map(re.escape, HOSTS))})/", re.IGNORECASE)
_SCHEME = re.compile(r"(?:https?|ssh)://", re.IGNORECASE)
_SSH_ADDRESS = re.compile(r"^git@([^:/]+):")
_SETS = frozenset("=?&#")
CIRCLECI = ("circleci.com", "app.circleci.com")
_CODE_HOSTS: Mapping[str, str] = {"github.com": "gh", "bitbucket.org": "bb"}
# Of which code hosts the projects can be that an alias without a host is for: those that have ids are of several.
_OF_HOST: Mapping[str, Sequence[str]] = {
    "github.com": ("gh", "circleci"),
    "bitbucket.org": ("bb",),
    "gitlab.com": ("circleci",),
}
_USUAL_PORTS = (None, 22, 80, 443)


def bare(word: str) -> str:
    """Return an address without the brackets that people and programs put around it."""
    inside = word[1:-1] if word[:1] == "<" and word[-1:] == ">" else word
    return inside if _LINK.match(inside) else word


def is_link(word: str) -> bool:
    """Say whether the word is an address, of a page or of a repository."""
    return _LINK.match(bare(word)) is not None


def is_of_code(word: str, projects: Projects) -> bool:
    """Say whether an address is at CircleCI or at a code host that we know, so that it may name a branch."""
    try:
        host = _host(_split(word))
    except UsageError:
        return True
    ours = any(alias.casefold().startswith(f"{host.casefold()}/") for alias in projects.projects)
    return ours or host in (projects.server, *CIRCLECI, *_OF_HOST)


def read(word: str, projects: Projects) -> Target:
    """Return what a link leads to; raises UsageError that names the piece nobody can read."""
    if bare(word).endswith("?"):
        raise UsageError("This link ends with a question mark. Write it without, if it is no question.", given=word)
    link = _split(word)
    parts = [unquote(part) for part in link.path.split("/") if part]
    host = _host(link)
    query = Query(link.query)
    try:
        found = _whole(link, _of_page(host, parts, query, projects), query)
    except NoProject:
        raise UsageError("I cannot find a project in this link.", given=word) from None
    except Unread as unread:
        piece = f"in `{unread.piece}` of this link" if can_be_shown(unread.piece) else "in this link"
        raise UsageError(f"I read no branch, tag or build {piece}. {NAME_THEM}", given=word) from None
    is_told_by_it = found.pull_request or found.workflow_id or found.commit
    return found.model_copy(update={"link": bare(word)}) if is_told_by_it else found


def _whole(link: SplitResult, found: Target, query: Query) -> Target:
    """Return what was found; raises Unread for what is left of a query, and for what a `#` begins.

    That may be the name of a branch, but on the page of one build, commit or pull request: there it is a place in it.
    """
    is_one_thing = found.names_more and found.ref is None
    if link.fragment and (not is_one_thing or _SETS & set(link.fragment)):
        raise Unread([f"#{unquote(link.fragment)}"])
    if query.left:
        raise Unread([query.left])
    return found


def _split(word: str) -> SplitResult:
    if not word.isprintable():  # what is split leaves out some of it
        raise UsageError("I cannot read this link.", given=word)
    address = _SSH_ADDRESS.sub(r"https://\1/", bare(word), count=1)
    try:
        link = urlsplit(address if _SCHEME.match(address) else f"https://{address}")
        _host(link)  # it is read only now, and may be none
    except ValueError:  # an unclosed bracket, or signs that only look like those of an address
        raise UsageError("I cannot read this link.", given=word) from None
    return link


def _host(link: SplitResult) -> str:
    """Return the host that a link leads to, with its port where that is another than usual; raises ValueError."""
    name = (link.hostname or "").removeprefix("www.")
    return name if link.port in _USUAL_PORTS else f"{name}:{link.port}"


def _of_page(host: str, parts: Sequence[str], query: Query, projects: Projects) -> Target:
    if host == projects.server or (host in CIRCLECI and not projects.server):
        return circleci.of_page(parts, query)
    if len(parts) < 2:
        raise NoProject
    if host in _CODE_HOSTS:
        name = parts[1].removesuffix(".git")
        slug = _by_alias(host, f"{parts[0]}/{name}", projects) or project_slug(_CODE_HOSTS[host], parts[0], name)
        page = pages.of_bitbucket if host == "bitbucket.org" else pages.of_github
        return page(parts[2:], query).also(Target(slug=slug))
    path, read_page = pages.elsewhere(parts, query)
    if known := _by_alias(host, path, projects):
        return read_page().also(Target(slug=known))
    shown = f"project `{path}`" if can_be_shown(path) else "such project"
    at = f"at `{host}`" if can_be_shown(host) else "at this address"
    raise UsageError(f"I know no {shown} {at}: write its name, and the branch.", given=f"{host}/{path}")


def _by_alias(host: str, path: str, projects: Projects) -> ProjectSlug | None:
    """Return the project of the alias that is this address, else of the one that is the path of a project there."""
    there, anywhere = _aliased(f"{host}/{path}", projects), _aliased(path, projects)
    of_host = {slug for slug in anywhere if slug.partition("/")[0] in _OF_HOST.get(host, ())}
    found = there or of_host
    return found.pop() if len(found) == 1 else None


def _aliased(name: str, projects: Projects) -> set[ProjectSlug]:
    entries = projects.projects.items()
    return {ProjectSlug(entry.slug) for alias, entry in entries if alias.casefold() == name.casefold()}
