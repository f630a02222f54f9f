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
from bot.models.slugs import VCS, spelled_alike
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


def bare(word: str) -> str:
    """Return an address without the brackets that people and programs put around it."""
    inside = word[1:-1] if word[:1] == "<" and word[-1:] == ">" else word
    return inside if _LINK.match(inside) else word


def is_link(word: str) -> bool:
    """Say whether the word is an address, of a page or of a repository."""
    return _LINK.match(bare(word)) is not None


def read(word: str, projects: Projects) -> Target:
    """Return what a link leads to; raises UsageError that names the piece nobody can read."""
    if bare(word).endswith("?"):
        raise UsageError("This link ends with a question mark. Write it without, if it is no question.", given=word)
    link = _split(word)
    parts = [unquote(part) for part in link.path.split("/") if part]
    host = (link.hostname or "").removeprefix("www.")
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
        link.hostname  # noqa: B018  # it is read only now, and may be none
    except ValueError:  # an unclosed bracket, or signs that only look like those of an address
        raise UsageError("I cannot read this link.", given=word) from None
    return link


def _of_page(host: str, parts: Sequence[str], query: Query, projects: Projects) -> Target:
    if host in _CODE_HOSTS and len(parts) >= 2:
        name = parts[1].removesuffix(".git")
        by_alias = _by_alias(host, f"{parts[0]}/{name}", projects)
        slug = by_alias.pop() if len(by_alias) == 1 else project_slug(_CODE_HOSTS[host], parts[0], name)
        page = pages.of_bitbucket if host == "bitbucket.org" else pages.of_github
        return page(parts[2:], query).also(Target(slug=slug))
    if host in CIRCLECI or (host not in _CODE_HOSTS and circleci.is_one(parts)):
        return circleci.of_page(parts, query)
    if host in _CODE_HOSTS or len(parts) < 2:
        raise NoProject
    path, page_of_it = pages.elsewhere(parts, query)
    return page_of_it.also(Target(slug=_known(host, path, projects)))


def _known(host: str, path: str, projects: Projects) -> ProjectSlug:
    """Return the one project that goes by this path: by an alias, with the host or without, or by its slug."""
    slugs = {f"{vcs}/{path}".casefold() for vcs in VCS.values()}
    known = {ProjectSlug(entry.slug) for entry in projects.projects.values()}
    found = _by_alias(host, path, projects) or {slug for slug in known if spelled_alike(slug).casefold() in slugs}
    if len(found) != 1:
        shown = f" `{path}`" if can_be_shown(path) else ""
        problem = f"I know no project{shown} at this address: write its name, and the branch."
        raise UsageError(problem, given=f"{host}/{path}")
    return found.pop()


def _by_alias(host: str, path: str, projects: Projects) -> set[ProjectSlug]:
    names = {path.casefold(), f"{host}/{path}".casefold()}
    return {ProjectSlug(entry.slug) for name, entry in projects.projects.items() if name.casefold() in names}
