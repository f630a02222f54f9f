"""A pasted link means what its page is about, or is refused by the piece that nobody can read."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UsageError
from bot.grammar import parse_project, parse_slug
from bot.links import is_link
from bot.models.circleci import Ref
from bot.models.target import Target
from bot.settings import ProjectEntry, Projects

FRONTEND, STANDALONE = "gh/acme/frontend", "circleci/5e0c5f62/9f1c2d7a"
PROJECTS = Projects(
    projects={
        "frontend": ProjectEntry(slug=FRONTEND),
        "Acme/Mobile": ProjectEntry(slug=STANDALONE),
        "shop/web/site": ProjectEntry(slug=STANDALONE),
        "git.acme.example/ops/tools": ProjectEntry(slug="bb/ops/tools"),
        "git.acme.example/acme/frontend": ProjectEntry(slug=FRONTEND),
        "acme/both": ProjectEntry(slug="bb/acme/both"),
    }
)
SHA, FLOW = "38c6d84" + "0" * 33, "5e0c5f62-31a4-4a9c-8f10-7ed2f0a5b001"
CLOUD, GITHUB, BITBUCKET = (
    "https://app.circleci.com",
    "https://github.com/acme/frontend",
    "https://bitbucket.org/acme/app",
)
GITLAB, OWN = "https://gitlab.com/shop/web/site", "https://git.acme.example"


def tag(name: str) -> Ref:
    return Ref(name=name, kind="tag")


@pytest.mark.parametrize(
    ("link", "slug", "named"),
    [
        # CircleCI's, new and old
        (f"{CLOUD}/pipelines/github/acme/frontend", FRONTEND, {}),
        (f"{CLOUD}/pipelines/github/acme/frontend?branch=a%2Fb&filter=mine", FRONTEND, {"ref": "a/b"}),
        (f"{CLOUD}/pipelines/github/acme/frontend/2417", FRONTEND, {"pipeline_number": 2417}),
        ("app.circleci.com/pipelines/github/acme/frontend/2417", FRONTEND, {"pipeline_number": 2417}),
        (
            f"{CLOUD}/pipelines/github/acme/frontend/2417/workflows/{FLOW}",
            FRONTEND,
            {"pipeline_number": 2417, "workflow_id": FLOW},
        ),
        (
            f"{CLOUD}/pipelines/github/acme/frontend/2417/workflows/{FLOW}/jobs/1842/tests#step-103",
            FRONTEND,
            {"pipeline_number": 2417, "workflow_id": FLOW, "job_number": 1842},
        ),
        (f"{CLOUD}/jobs/github/acme/frontend/1842?invite=true#step-105-15_29", FRONTEND, {"job_number": 1842}),
        ("https://circleci.com/gh/acme/frontend/1842#tests/containers/0", FRONTEND, {"job_number": 1842}),
        (f"{CLOUD}/pipelines/circleci/5e0c5f62/9f1c2d7a/7", STANDALONE, {"pipeline_number": 7}),
        (f"{CLOUD}/jobs/github/acme/frontend/1842", FRONTEND, {"job_number": 1842}),
        (f"{CLOUD}/jobs/github/acme/frontend/1842/parallel-runs/0/steps/0-103", FRONTEND, {"job_number": 1842}),
        ("https://circleci.com/gh/acme/frontend", FRONTEND, {}),
        ("https://circleci.com/gh/acme/frontend/1842", FRONTEND, {"job_number": 1842}),
        ("https://circleci.com/gh/acme/frontend/tree/release/v2.0", FRONTEND, {"ref": "release/v2.0"}),
        (f"https://circleci.com/workflow-run/{FLOW}", None, {"workflow_id": FLOW}),
        (f"{CLOUD}/pipelines/workflows/{FLOW.upper()}", None, {"workflow_id": FLOW}),
        (
            f"https://circleci.com/gh/acme/workflows/frontend/tree/main/{FLOW}",
            FRONTEND,
            {"ref": "main", "workflow_id": FLOW},
        ),
        # GitHub's
        (GITHUB, FRONTEND, {}),
        (f"{GITHUB}.git", FRONTEND, {}),
        ("HTTPS://GitHub.com/acme/frontend/tree/Main", FRONTEND, {"ref": "Main"}),
        ("git@github.com:acme/frontend.git", FRONTEND, {}),
        ("ssh://git@github.com/acme/frontend.git", FRONTEND, {}),
        (f"<{GITHUB}/tree/main>", FRONTEND, {"ref": "main"}),
        ("github.com/acme/frontend/pull/12", FRONTEND, {"pull_request": 12}),
        ("https://www.github.com/acme/frontend/tree/main", FRONTEND, {"ref": "main"}),
        (f"{GITHUB}/tree/release%2Fv2.0", FRONTEND, {"ref": "release/v2.0"}),
        (f"{GITHUB}/tree/{SHA}", FRONTEND, {"commit": SHA}),
        (f"{GITHUB}/commits/release/v2.0", FRONTEND, {"ref": "release/v2.0"}),
        (f"{GITHUB}/commit/38C6D84", FRONTEND, {"commit": "38c6d84"}),
        (f"{GITHUB}/commit/{SHA}#diff-1", FRONTEND, {"commit": SHA}),
        (f"{GITHUB}/pull/12", FRONTEND, {"pull_request": 12}),
        (f"{GITHUB}/pull/12/files#r1", FRONTEND, {"pull_request": 12}),
        (f"{GITHUB}/pull/12/commits", FRONTEND, {"pull_request": 12}),
        (f"{GITHUB}/pull/12/commits/{SHA}", FRONTEND, {"commit": SHA}),
        (f"{GITHUB}/pull/12/files/{SHA}", FRONTEND, {"commit": SHA}),
        (f"{GITHUB}/pull/12/changes/38c6d84#diff-1", FRONTEND, {"commit": "38c6d84"}),
        (f"{GITHUB}/pull/12/checks", FRONTEND, {"pull_request": 12}),
        (f"{BITBUCKET}/pull-requests/12/commits/{SHA}", "bb/acme/app", {"commit": SHA}),
        (f"{GITLAB}/-/merge_requests/7/diffs/{SHA}", STANDALONE, {"commit": SHA}),
        (f"{GITLAB}/-/releases/v2.0", STANDALONE, {"ref": tag("v2.0")}),
        (f"{GITLAB}/-/tags/release/v2.0", STANDALONE, {"ref": tag("release/v2.0")}),
        (f"{CLOUD}/pipelines/github/acme/frontend?branch=fix+x", FRONTEND, {"ref": "fix+x"}),
        (f"{CLOUD}/pipelines/github/acme/workflows/2417", "gh/acme/workflows", {"pipeline_number": 2417}),
        (f"{CLOUD}/pipelines/github/acme/workflows?branch=main", "gh/acme/workflows", {"ref": "main"}),
        (f"{CLOUD}/jobs/github/acme/workflows/1842", "gh/acme/workflows", {"job_number": 1842}),
        (f"{GITHUB}/releases/tag/v2.0", FRONTEND, {"ref": tag("v2.0")}),
        ("https://github.com/acme/mobile/tree/main", STANDALONE, {"ref": "main"}),
        # Bitbucket's
        (f"{BITBUCKET}/branch/release/v2.0", "bb/acme/app", {"ref": "release/v2.0"}),
        (f"{BITBUCKET}/src/main/", "bb/acme/app", {"ref": "main"}),
        (f"{BITBUCKET}/src/{SHA}/?at=feature%2Fx", "bb/acme/app", {"ref": "feature/x"}),
        (f"{BITBUCKET}/commits/{SHA}", "bb/acme/app", {"commit": SHA}),
        (f"{BITBUCKET}/commits/branch/main", "bb/acme/app", {"ref": "main"}),
        (f"{BITBUCKET}/commits/tag/v2.0", "bb/acme/app", {"ref": tag("v2.0")}),
        (f"{BITBUCKET}/pull-requests/12/diff", "bb/acme/app", {"pull_request": 12}),
        # GitLab's, whose projects go by an alias
        (GITLAB, STANDALONE, {}),
        (f"{GITLAB}/-/tree/release/v2.0", STANDALONE, {"ref": "release/v2.0"}),
        (f"{GITLAB}/-/commit/{SHA}", STANDALONE, {"commit": SHA}),
        (f"{GITLAB}/-/merge_requests/7/diffs", STANDALONE, {"pull_request": 7}),
        (f"{GITLAB}/merge_requests/7", STANDALONE, {"pull_request": 7}),
        (f"{GITLAB}/-/tree/v2.0?ref_type=tags", STANDALONE, {"ref": tag("v2.0")}),
        (f"{GITLAB}/-/tree/v2.0?ref_type=heads", STANDALONE, {"ref": "v2.0"}),
        (f"{GITLAB}/-/merge_requests/7?view=parallel&utm_source=x#note_1", STANDALONE, {"pull_request": 7}),
        (f"{GITLAB}/-/tags/v2.0", STANDALONE, {"ref": tag("v2.0")}),
        # hosts of one's own, where the project is known
        (f"{OWN}/ops/tools/pull/3", "bb/ops/tools", {"pull_request": 3}),
        (f"{OWN}/projects/OPS/repos/tools/pull-requests/3/overview", "bb/ops/tools", {"pull_request": 3}),
        (f"{OWN}/projects/ops/repos/tools/browse?at=refs%2Fheads%2Fmain", "bb/ops/tools", {"ref": "main"}),
        (f"{OWN}/acme/frontend/tree/main", FRONTEND, {"ref": "main"}),
        ("git@git.acme.example:acme/frontend.git", FRONTEND, {}),
        # a host is what it says, whatever goes by the same name elsewhere
        ("https://github.com/acme/both/pull/3", "gh/acme/both", {"pull_request": 3}),
        ("https://bitbucket.org/acme/both/pull-requests/3", "bb/acme/both", {"pull_request": 3}),
        ("https://bitbucket.org/acme/mobile/branch/main", "bb/acme/mobile", {"ref": "main"}),
        ("https://me@github.com:443/acme/frontend/tree/main", FRONTEND, {"ref": "main"}),
    ],
)  # fmt: skip
def test_a_link_names_what_its_page_is_about(link: str, slug: str | None, named: dict[str, object]) -> None:
    found = parse_project(link, PROJECTS)
    ref = named.get("ref")
    wanted = {**named, "ref": Ref(name=ref)} if isinstance(ref, str) else named
    assert found.model_copy(update={"link": ""}) == Target.model_validate({"slug": slug, **wanted})
    assert found.names_more is bool(named)
    if named:
        with pytest.raises(UsageError, match="I need a project alone"):
            parse_slug(link, PROJECTS)


@pytest.mark.parametrize(
    ("link", "piece"),
    [
        (f"{GITHUB}/blob/release/v2.0/x.py", "`blob/release/v2.0/x.py`"),
        (f"{GITHUB}/compare/main...fix", "`compare/main...fix`"),
        (f"{GITHUB}/issues/7", "`issues/7`"),
        (f"{GITHUB}/actions/runs/12", "`actions/runs/12`"),
        (f"{GITHUB}/releases/latest", "`releases/latest`"),
        (f"{GITHUB}/pull/new", "`pull/new`"),
        (f"{GITHUB}/commit/main", "`commit/main`"),
        (f"{GITHUB}/pull/12/files/38c6d84..beefbee", "`pull/12/files/38c6d84..beefbee`"),
        (f"{GITHUB}/pull/12/changes/38c6d84..HEAD", "`pull/12/changes/38c6d84..HEAD`"),
        (f"{GITHUB}/pull/12/commits/{SHA}/x", "`pull/12/commits/"),
        (f"{GITHUB}/pull/12/a..b", "`pull/12/a..b`"),
        (f"{BITBUCKET}/pull-requests/12/a-title/diff", "`pull-requests/12/a-title/diff`"),
        (f"{GITLAB}/-/releases/v2.0/downloads/app.tar.gz", "`releases/v2.0/downloads/app.tar.gz`"),
        (f"{GITLAB}/-/releases/permalink/latest", "`releases/permalink/latest`"),
        (f"{GITLAB}/-/tags/new", "`tags/new`"),
        ("https://circleci.com/gh/acme/workflows/1842", "`workflows/1842`"),
        ("https://circleci.com/gh/acme/workflows/tree/main", "`workflows/tree/main`"),
        (f"{GITHUB}/tree", "`tree`"),
        (f"{BITBUCKET}/src/main/a.py", "`src/main/a.py`"),
        (f"{BITBUCKET}/branches/compare/a%0Db", "in this link"),
        (f"{GITLAB}/-/blob/main/a.py", "`blob/main/a.py`"),
        (f"{GITLAB}/-/pipelines/12", "`pipelines/12`"),
        (f"{GITLAB}/-/compare/main...fix", "`compare/main...fix`"),
        (f"{CLOUD}/pipelines/github/acme/frontend/main", "`main`"),
        (f"{CLOUD}/pipelines/github/acme/frontend/2417/config", "`2417/config`"),
        (f"{CLOUD}/pipelines/github/acme/frontend/2417/workflows/{FLOW}/jobs/x", "/jobs/x`"),
        (f"{CLOUD}/pipelines/github/acme/frontend/{'9' * 20}", "99999`"),
        (f"{CLOUD}/pipelines/github/acme/frontend?branch=a&branch=b", "`?branch=a&branch=b`"),
        ("https://circleci.com/gh/acme/frontend/edit", "`edit`"),
        # what stands behind the address may name a branch, in a way that nobody taught us
        ("git@github.com:acme/frontend.git#release/v2.0", "`#release/v2.0`"),
        (f"{GITHUB}#branch=x", "`#branch=x`"),
        (f"{GITHUB}/tree/fix/#1234-some-fix", "`#1234-some-fix`"),
        (f"{GITHUB}/pull/12#branch=x", "`#branch=x`"),
        (f"{GITHUB}?ref=release/v2.0", "`?ref=release/v2.0`"),
        (f"{GITHUB}?branch=release", "`?branch=release`"),
        (f"{GITHUB}/pull/12?sha=38c6d84", "`?sha=38c6d84`"),
        ("https://bitbucket.org/acme/frontend?at=release", "`?at=release`"),
        (f"{BITBUCKET}/src/main/?at=release", "`main?at=release`"),
        (f"{BITBUCKET}/src/main/?at=", "`main?at=`"),
        (f"{GITLAB}/-/tree/v2.0?ref_type=commits", "`?ref_type=commits`"),
        (f"{CLOUD}/pipelines/github/acme/frontend?Branch=x", "`?Branch=x`"),
        (f"{CLOUD}/pipelines/github/acme/frontend?branch=", "`?branch=`"),
        (f"{CLOUD}/pipelines/github/acme/frontend?branch=a&tag=b", "`?branch=a&tag=b`"),
        (f"{CLOUD}/pipelines/github/acme/frontend/2417?branch=x", "`?branch=x`"),
        ("https://circleci.com/gh/acme/workflows/frontend?branch=x", "`?branch=x`"),
        ("https://circleci.com/gh/acme/frontend/tree/a?b", "`?b=`"),
        (f"{GITHUB}/tree/ma\nin", "I cannot read this link"),
        (f"{CLOUD}/pipelines/github/acme", "I cannot find a project in this link"),
        (f"{CLOUD}/insights/github/acme/frontend/workflows/build", "I cannot find a project in this link"),
        (f"{CLOUD}/settings/project/github/acme/frontend", "I cannot find a project in this link"),
        ("https://circleci.com/workflow-run/abc", "I cannot find a project in this link"),
        ("https://github.com/acme", "I cannot find a project in this link"),
        ("https://gitlab.com/other/thing/-/tree/main", "I know no project `other/thing` at `gitlab.com`"),
        ("https://example.com/x/y", "I know no project `x/y` at `example.com`"),
        ("https://gitlab.com/acme/frontend", "I know no project `acme/frontend` at `gitlab.com`"),
        ("https://gitlab.com/acme/both/-/merge_requests/3", "at `gitlab.com`"),
        ("https://gitlab.com/github/acme/frontend", "I know no project `github/acme/frontend` at `gitlab.com`"),
        ("https://notion.so/acme/frontend", "I know no project `acme/frontend` at `notion.so`"),
        ("https://evil.example/gh/acme/frontend", "at `evil.example`"),
        (f"https://evil.example/workflow-run/{FLOW}", "at `evil.example`"),
        ("https://evil.example/shop/web/site/-/tree/main", "at `evil.example`"),
        ("https://github.com@evil.example/acme/frontend", "at `evil.example`"),
        ("https://github.com:8443/acme/frontend", "at `github.com:8443`"),
        ("git@evil.example:acme/frontend.git", "at `evil.example`"),
        ("https://github.com.evil.example/acme/frontend", "at `github.com.evil.example`"),
        ("https://example.com/x", "I cannot find a project in this link"),
        (f"{GITHUB}/tree/ma%E2%80%8Bin", "it holds an invisible character"),
        (f"{GITHUB}/tree/main.", "it ends with ."),
        (f"{GITHUB}/blob/`x`", "in this link"),
    ],
)
def test_what_cannot_be_read_of_a_link_is_named(link: str, piece: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_project(link, PROJECTS)
    assert piece in str(refused.value)


def test_pages_of_circleci_are_those_of_the_one_we_ask() -> None:
    server = PROJECTS.read_beside("https://CircleCI.acme.example:8443")
    page = "gh/acme/frontend/1842"
    assert parse_project(f"https://circleci.acme.example:8443/{page}", server).job_number == 1842
    workflow = parse_project(f"https://circleci.acme.example:8443/workflow-run/{FLOW}", server)
    assert (workflow.slug, workflow.workflow_id) == (None, FLOW)
    for other in (f"https://circleci.acme.example/{page}", f"{CLOUD}/pipelines/{page}", f"https://circleci.com/{page}"):
        with pytest.raises(UsageError, match="I know no project"):
            parse_project(other, server)
    assert (
        parse_project(f"https://circleci.com/{page}", PROJECTS.read_beside("https://circleci.com")).job_number == 1842
    )


WORDS = st.one_of(
    st.sampled_from(
        (
            *(
                "pipelines",
                "jobs",
                "workflows",
                "workflow-run",
                "gh",
                "github",
                "circleci",
                "acme",
                "frontend",
                "-",
                "2417",
            ),
            *(
                "tree",
                "blob",
                "commit",
                "commits",
                "pull",
                "pull-requests",
                "merge_requests",
                "releases",
                "tag",
                "main",
                SHA,
            ),
        )
    ),
    st.text(max_size=12),
)
HOSTS = st.sampled_from(
    ("github.com", "bitbucket.org", "gitlab.com", "circleci.com", "app.circleci.com", "git.acme.example", "x", "")
)


PAIRS = st.tuples(
    st.sampled_from(("branch", "Branch", "tag", "at", "ref", "ref_type", "sha", "filter", "")), st.text(max_size=6)
)
QUERIES = st.lists(PAIRS, max_size=3).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs))
FRAGMENTS = st.one_of(st.just(""), st.sampled_from(("main", "branch=x", "/tree/main", "step-103")), st.text(max_size=9))


@given(HOSTS, st.lists(WORDS, max_size=9), QUERIES, FRAGMENTS)
def test_a_link_with_more_than_a_project_never_means_the_project_alone(
    host: str, path: list[str], query: str, fragment: str
) -> None:
    link = "/".join([f"https://{host}", *path]) + (query and f"?{query}") + (fragment and f"#{fragment}")
    assert is_link(link)
    try:
        found = parse_project(link, PROJECTS)
    except UsageError:
        return
    split = urlsplit(link)
    pages = [part for part in split.path.split("/") if part]
    leads = 4 if pages[0] in ("pipelines", "jobs", "projects") else 3
    assert found.names_more or len(pages) <= leads
    names = {name for name, _ in parse_qsl(split.query, keep_blank_values=True)} - {"filter"}
    assert found.names_more or not (split.fragment or names)
    assert names <= {"branch", "tag", "at", "ref_type"}
    assert not (split.fragment and found.ref)


@given(
    st.sampled_from((GITHUB, BITBUCKET, GITLAB, "git@github.com:acme/frontend.git", f"{CLOUD}/pipelines/gh/a/b")),
    st.sampled_from("#?"),
    st.text(min_size=1, max_size=20).filter(lambda text: text.strip("?&#") != ""),
)
def test_whatever_stands_behind_a_projects_address_is_never_dropped(link: str, sign: str, behind: str) -> None:
    try:
        found = parse_project(f"{link}{sign}{behind}", PROJECTS)
    except UsageError:
        return
    looks = ("utm_", "diff", "expand", "filter", "invite", "plain", "tab", "view", "w")
    assert found.names_more or behind.lstrip("&").startswith(looks)
