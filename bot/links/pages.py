"""Pages of the code hosts: GitHub, Bitbucket, GitLab, in the cloud or one's own. Pure."""

from collections.abc import Callable, Sequence
from functools import partial

from bot.links.reading import Query, Unread, a_commit, a_number, a_ref
from bot.models import git
from bot.models.target import Target

_DASH = "-"  # GitLab's, between a project and its pages
_KINDS = {"heads": "branch", "tags": "tag"}
_PAGES = frozenset(
    (_DASH, "tree", "blob", "raw", "commit", "commits", "compare", "pull", "pull-requests", "merge_requests")
) | {"tags", "releases", "pipelines", "jobs"}


def of_github(page: Sequence[str], query: Query) -> Target:  # noqa: ARG001  # as all of them
    """Return what a page of GitHub's is about, behind the project's name."""
    match page:
        case []:
            return Target()
        case ["tree" | "commits", *name] if name:
            return a_ref(name)
        case ["commit", *name]:
            return a_commit(name, page)
        case ["pull", *behind]:
            return _a_pull_request(behind, page)
        case ["releases", "tag", *name] if name:
            return a_ref(name, "tag")
        case _:
            raise Unread(page)


def of_bitbucket(page: Sequence[str], query: Query) -> Target:
    """Return what a page of Bitbucket's is about, behind the project's name."""
    match page:
        case []:
            return Target()
        case ["branch", *name] if name:
            return a_ref(name)
        case ["src" | "browse", *name] if len(name) < 2 and (at := query.take("at")):
            return _at(name, at[0][1])
        case ["src", name]:
            return a_ref([name])
        case ["commits", "branch" | "tag" as kind, *name] if name:
            return a_ref(name, kind)
        case ["commits", *name]:
            return a_commit(name, page)
        case ["pull-requests", *behind]:
            return _a_pull_request(behind, page)
        case _:
            raise Unread(page)


def _at(name: Sequence[str], at: str) -> Target:
    """Return the branch that Bitbucket's page is told to be of, beside its commit; raises Unread for another name."""
    if name and not git.is_commit(name[0]) and name[0] != at:
        raise Unread([f"{name[0]}?at={at}"])
    return a_ref([at])


def of_gitlab(page: Sequence[str], query: Query) -> Target:
    """Return what a page of GitLab's is about, behind the project's name and the dash."""
    match page:
        case []:
            return Target()
        case ["tree" | "commits", *name] if name:
            return a_ref(name, _kind(query))
        case ["commit", *name]:
            return a_commit(name, page)
        case ["merge_requests", *behind]:
            return _a_pull_request(behind, page)
        case ["tags", *name] if name and name != ["new"]:
            return a_ref(name, "tag")
        case ["releases", name] if name != "new":  # what stands behind is a file of it, or `permalink/latest`
            return a_ref([name], "tag")
        case _:
            raise Unread(page)


def _a_pull_request(behind: Sequence[str], page: Sequence[str]) -> Target:
    """Return the pull request that a page is of; a page further down is one commit's, or raises Unread: of several."""
    number, deeper = a_number(behind, page), [one for one in behind[1:2] if git.may_be_commit(one) or ".." in one]
    deeper += behind[2:]
    if len(deeper) > 1:
        raise Unread(page)
    return a_commit(deeper, page) if deeper else Target(pull_request=number)


def _kind(query: Query) -> str:
    """Return of which kind GitLab says that the name in the path is."""
    for name, value in query.take("ref_type"):
        if value not in _KINDS:
            raise Unread([f"?{name}={value}"])
        return _KINDS[value]
    return "branch"


def elsewhere(parts: Sequence[str], query: Query) -> tuple[str, Callable[[], Target]]:
    """Return the path of a project at a host of one's own, and who reads what its page is about."""
    if parts[:1] == ["projects"] and parts[2:3] == ["repos"] and len(parts) > 3:  # Bitbucket Data Center
        return f"{parts[1]}/{parts[3]}", partial(of_bitbucket, parts[4:], query)
    # A group of GitLab's may have groups within, so that a project's name ends where a page's begins.
    end = next((at for at in range(2, len(parts)) if parts[at] in _PAGES), len(parts))
    page = parts[end + 1 :] if parts[end : end + 1] == [_DASH] else parts[end:]
    readers = {"merge_requests": of_gitlab, "tags": of_gitlab, "pull-requests": of_bitbucket}
    reader = of_gitlab if _DASH in parts[end : end + 1] else readers.get("".join(page[:1]), of_github)
    return "/".join(parts[:end]).removesuffix(".git"), partial(reader, page, query)
