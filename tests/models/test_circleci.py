import pytest

from bot.errors import Rejected
from bot.models.circleci import Project, ProjectSlug, VcsInfo, made_of_ids


def test_a_project_without_a_default_branch_has_main() -> None:
    slug = ProjectSlug("gh/acme/frontend")
    assert Project(slug=slug).default_branch == "main"
    assert Project(slug=slug, vcs_info=VcsInfo(default_branch="trunk")).default_branch == "trunk"


def test_only_the_slugs_of_the_github_app_are_made_of_ids() -> None:
    assert made_of_ids("circleci/Org1/Proj2")
    assert not made_of_ids("gh/circleci/frontend")


@pytest.mark.parametrize(("status", "gone"), [(404, True), (410, True), (400, False), (403, False)])
def test_what_is_gone_is_told_from_what_is_refused(status: int, gone: bool) -> None:
    assert Rejected(status, "").is_gone is gone
