import json
from pathlib import Path

import pytest

from bot.errors import Rejected, UsageError
from bot.models.circleci import ClassicBuild, JobMessage, Pipeline, Project, ProjectSlug, Ref, VcsInfo, made_of_ids
from bot.models.classic import BuildSummary
from bot.refs import ref_named

NEVER = json.loads((Path(__file__).parents[1] / "samples/v11-retry-answer-will-never-run.json").read_text())


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


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (NEVER, "1.0-not-available; See the notice."),
        ({"build_num": 1, "status": "not_run"}, "its status is not_run, and no reason is given"),
        ({"build_num": 1, "dont_build": "no-followers", "messages": None}, "no-followers"),
    ],
    ids=["recorded", "nothing said", "a code alone"],
)
def test_why_a_build_will_never_run_is_what_circleci_says(answer: dict[str, object], why: str) -> None:
    assert BuildSummary.model_validate(answer).why_not == why


def test_what_circleci_says_of_a_job_is_said_once_and_without_html() -> None:
    said = [{"message": "See <a href='https://docs.example'>the notice</a>."}, {"reason": "x"}, {"message": " "}]
    found = ClassicBuild.model_validate({"build_num": 1, "messages": [*said, *said], "fail_reason": "x"})
    assert found.reasons == ("See the notice.", "x")
    assert JobMessage(message="a < b > c").words == "a < b > c"


OURS, EVES = "https://github.com/acme/frontend", "https://github.com/eve/frontend"


def built(**vcs: str) -> Pipeline:
    told = {"id": "p", "number": 7, "project_slug": "gh/acme/frontend", "created_at": "2026-11-20T10:00:00Z"}
    return Pipeline.model_validate({**told, "vcs": {"target_repository_url": OURS, **vcs}})


@pytest.mark.parametrize(
    ("vcs", "ref"),
    [
        ({"branch": "main"}, Ref(name="main")),
        ({"branch": "main", "review_id": "13"}, Ref(name="main")),
        ({"tag": "v2.0"}, Ref(name="v2.0", kind="tag")),
        # One repository, however it is spelled.
        ({"branch": "main", "origin_repository_url": "git@github.com:Acme/Frontend.git"}, Ref(name="main")),
        ({"branch": "main", "origin_repository_url": f"{OURS}/", "review_id": "13"}, Ref(name="main")),
        # Another one, whose names are its own.
        ({"branch": "main", "origin_repository_url": EVES, "review_id": "13"}, Ref(name="pull/13")),
        ({"tag": "v2.0", "origin_repository_url": EVES, "review_id": "13"}, Ref(name="pull/13")),
        ({"branch": "pull/13/head", "origin_repository_url": EVES, "review_id": "13"}, Ref(name="pull/13/head")),
        ({"branch": "pull/7", "origin_repository_url": EVES, "review_id": "13"}, Ref(name="pull/13")),
        ({"branch": "pull/13", "origin_repository_url": EVES}, Ref(name="pull/13")),
        ({"branch": "main", "origin_repository_url": EVES}, Ref(name="eve/frontend:main")),
        ({"tag": "v2.0", "origin_repository_url": EVES}, Ref(name="eve/frontend:v2.0")),
        ({"branch": "main", "origin_repository_url": EVES, "review_id": "٣"}, Ref(name="eve/frontend:main")),
        ({"branch": "main", "origin_repository_url": EVES, "review_id": "13/head"}, Ref(name="eve/frontend:main")),
    ],
    ids=str,
)
def test_the_code_of_a_fork_is_a_pull_request_and_no_branch_of_ours(vcs: dict[str, str], ref: Ref) -> None:
    assert built(**{"origin_repository_url": OURS, **vcs}).ref == ref


def test_a_fork_of_no_pull_request_has_a_name_that_nobody_can_type() -> None:
    ref = built(branch="main", origin_repository_url=EVES).ref
    assert ref is not None
    assert not ref.is_proper
    with pytest.raises(UsageError):
        ref_named(ref.name)


def test_a_branch_that_is_called_like_a_build_is_said_to_be_one() -> None:
    refs = (Ref(name="#2417"), Ref(name="main"), Ref(name="#1", kind="tag"))
    assert [one.said for one in refs] == ["branch #2417", "main", "tag:#1"]
