"""What a build that was found can be called, and what is said of what was not found."""

import pytest

from bot.errors import UsageError
from bot.finding import branch_of, named_branch_of
from bot.models.circleci import Pipeline, Ref

NOW = "2026-11-20T10:00:00Z"
OURS, THEIRS = "https://github.com/acme/frontend", "https://github.com/eve/frontend"


def built(**vcs: str) -> Pipeline:
    told = {"id": "p", "number": 2419, "project_slug": "gh/acme/frontend", "created_at": NOW}
    return Pipeline.model_validate({**told, "vcs": {"target_repository_url": OURS, **vcs}})


def test_the_code_of_a_fork_that_no_pull_request_names_is_no_branch_to_deploy() -> None:
    nameless = built(origin_repository_url=THEIRS, branch="main")
    assert str(branch_of(nameless)) == "eve/frontend:main"
    with pytest.raises(UsageError, match="#2419 is of a fork"):
        named_branch_of(nameless)
    assert named_branch_of(built(origin_repository_url=THEIRS, branch="pull/77")) == Ref(name="pull/77")
    assert named_branch_of(built(origin_repository_url=OURS, branch="main")) == Ref(name="main")
    assert named_branch_of(built(origin_repository_url=OURS, tag="v2.0")) == Ref(name="v2.0", kind="tag")
