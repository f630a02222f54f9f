"""What agents are given: the list of tools, short and always the same, and what becomes of a call's arguments."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot.agents.tools import LONGEST_WAIT, Follow, request_of, request_of_ours, shapes, tools, unknown_tool
from bot.errors import UsageError
from bot.models.circleci import ProjectSlug, Ref
from bot.policy import Word
from bot.requests import OfTarget
from bot.settings import Projects
from tests.agents.listing import ROUTER, as_listed, listed

GOLDEN = Path(__file__).parent / "golden" / "tools.json"
DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "agents.md"
MOST = 7_700  # characters, which are 2,200 tokens: what every agent reads before it does anything
TOOLS = tools(ROUTER)
NAMES = (
    *("artifacts", "cancel", "deploy", "find", "flaky", "follow", "job", "locks", "logs", "may", "projects"),
    *("rerun", "status", "tests", "triage", "why_red"),
)
READS = tuple(name for name in NAMES if name not in ("cancel", "deploy", "rerun"))


def asked(name: str, **arguments: Any) -> dict[str, Any]:
    """Return what a call is read as, without what says nothing."""
    return request_of(TOOLS[name], arguments).model_dump(exclude_defaults=True)


def refused(name: str, **arguments: Any) -> UsageError:
    with pytest.raises(UsageError) as caught:
        request_of(TOOLS[name], arguments)
    return caught.value


def test_the_list_is_as_recorded(golden: bool) -> None:
    said = json.dumps([as_listed(one) for one in shapes(ROUTER)], indent=1, ensure_ascii=False) + "\n"
    if golden:
        GOLDEN.write_text(said, encoding="utf-8")
    assert said == GOLDEN.read_text(encoding="utf-8"), "`pytest tests/agents --golden` records it anew"


def table() -> str:
    """Return the table of docs/agents.md, from the tools themselves."""
    rows = ["| Tool | What it is for | What it takes | Permission |", "| --- | --- | --- | --- |"]
    for one in shapes(ROUTER):
        needed, takes = one.input_schema.get("required", ()), one.input_schema["properties"]
        words = ", ".join(f"**{name}**" if name in needed else name for name in takes)
        word = str(TOOLS[one.name].permission) if one.name in TOOLS else "read"
        rows.append(f"| `{one.name}` | {one.description} | {words} | `{word}` |")
    return "\n".join(rows)


def test_the_document_lists_every_tool(golden: bool) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = text.partition("<!-- tools -->\n")
    found, _, after = rest.partition("<!-- /tools -->")
    if golden:
        DOCUMENT.write_text(f"{before}<!-- tools -->\n{table()}\n<!-- /tools -->{after}", encoding="utf-8")
        found = f"{table()}\n"
    assert found == f"{table()}\n"


def test_the_list_is_short() -> None:
    assert len(listed(shapes(ROUTER))) <= MOST


def test_the_names_are_sorted_and_what_only_looks_is_a_list_of_its_own() -> None:
    assert tuple(one.name for one in shapes(ROUTER)) == NAMES
    assert tuple(one.name for one in shapes(ROUTER, readonly=True)) == READS


def test_hints_follow_the_permission() -> None:
    for one in shapes(ROUTER):
        acts = one.name in TOOLS and TOOLS[one.name].permission != Word.READ
        assert one.hints.read_only is not acts, one.name
        assert one.hints.destructive is acts, one.name


def test_only_what_an_agent_may_be_given_words_for_is_a_tool() -> None:
    assert {str(one.permission) for one in TOOLS.values()} == {"read", "deploy", "rerun", "cancel"}


def test_no_description_speaks_as_slack_does() -> None:
    for one in shapes(ROUTER):
        assert not {"press", "button", "/ci", "dialog"} & set(one.description.lower().split()), one


@pytest.mark.parametrize("name", NAMES)
def test_each_schema_is_one_and_closed(name: str) -> None:
    schema = {one.name: one.input_schema for one in shapes(ROUTER)}[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    assert set(schema.get("required", ())) <= set(schema["properties"])


@pytest.mark.parametrize(
    ("name", "arguments", "request_"),
    [
        ("triage", {"project": "web", "branch": "main"}, {"project": "web", "branch": "main"}),
        ("status", {"project": "web", "pipeline": "2417"}, {"project": "web", "pipeline": 2417}),
        ("status", {"project": "web", "pipeline": None, "branch": None}, {"project": "web"}),
        ("logs", {"project": "web", "job": 7, "step": "Run tests"}, {"project": "web", "job": 7, "step": "Run tests"}),
        ("artifacts", {"project": "web", "wanted": ["a", "*.tgz"]}, {"project": "web", "wanted": ("a", "*.tgz")}),
        ("locks", {}, {}),
        ("projects", {}, {}),
        ("may", {"word": "Deploy"}, {"word": "deploy"}),
        ("deploy", {"project": "web", "reason": "why", "key": "2"}, {"project": "web"}),
        ("rerun", {"project": "web", "reason": "why", "everything": True}, {"project": "web", "everything": True}),
    ],
)
def test_arguments_become_the_request_of_the_command(
    name: str, arguments: dict[str, Any], request_: dict[str, Any]
) -> None:
    assert asked(name, **arguments) == request_


@pytest.mark.parametrize(
    "branch", ["x env=prod", "a=b", "#2417", "1842", '"quoted"', "all", "ssh", "failed", "main ssh"]
)
def test_a_branch_is_never_read_as_anything_else(branch: str) -> None:
    request = request_of(TOOLS["rerun"], {"project": "acme/web", "branch": branch, "reason": "why"})
    assert isinstance(request, OfTarget)
    assert request.about(Projects()) == (ProjectSlug("gh/acme/web"), Ref(name=branch))
    assert request.model_dump()["everything"] is False


@pytest.mark.parametrize("branch", ["rel*", "-rf", "tag:v2.0", "why?", "a..b", "a\u200bb"])
def test_what_git_calls_nothing_is_no_branch(branch: str) -> None:
    request = request_of(TOOLS["rerun"], {"project": "acme/web", "branch": branch, "reason": "why"})
    with pytest.raises(UsageError):
        request.about(Projects())


def test_the_types_of_parameters_are_kept() -> None:
    parameters = {"text": "true", "number": 3, "flag": True, "digits": "3"}
    found = asked("deploy", project="web", reason="why", parameters=parameters)["parameters"]
    assert found == parameters
    assert [type(value) for value in found.values()] == [str, int, bool, str]


@pytest.mark.parametrize(
    ("name", "arguments", "problem", "near"),
    [
        ("triage", {}, "`project` is missing: acme/web, an alias or a link; `projects` lists them.", None),
        ("deploy", {"project": "web"}, "`reason` is missing: say why, for the people who read it.", None),
        ("deploy", {"project": "web", "reason": 7}, "`reason` is text.", None),
        ("triage", {"project": 7}, "`project` is text.", None),
        ("triage", {"project": "web", "pipeline": "newest"}, "`pipeline` is a whole number.", None),
        ("cancel", {"project": "web", "reason": "why", "pipeline": True}, "`pipeline` is a whole number.", None),
        ("tests", {"project": "web", "job": 7.0}, "`job` is a whole number.", None),
        ("flaky", {"project": "web", "last": "1_0"}, "`last` is a whole number.", None),
        ("rerun", {"project": "web", "reason": "why", "everything": 1}, "`everything` is true or false.", None),
        ("triage", {"project": "web", "pipeline": 0}, "`pipeline` is a number from 1 on.", None),
        ("flaky", {"project": "web", "last": 99}, "`last` is a number up to 50.", None),
        ("triage", {"project": "web\n"}, "`project` cannot be read: it holds a control character.", None),
        ("triage", {"project": "w" * 501}, "`project` has at most 500 characters.", None),
        ("rerun", {"project": "web", "reason": "why", "everything": "some"}, "`everything` is true or false.", None),
        ("deploy", {"project": "web", "reason": "why", "parameters": []}, "`parameters` is an object.", None),
        ("artifacts", {"project": "web", "wanted": "tgz"}, "`wanted` is a list.", None),
        ("locks", {"projects": "web"}, "There is no such argument. It takes project.", "project"),
        (
            "why_red",
            {"project": "web", "brnach": "x"},
            "There is no such argument. It takes project, branch.",
            "branch",
        ),
    ],
)
def test_what_cannot_be_read_is_told_by_its_name(
    name: str, arguments: dict[str, Any], problem: str, near: str | None
) -> None:
    error = refused(name, **arguments)
    assert (error.problem, error.did_you_mean) == (problem, near)
    assert len(error.given) <= 200


@pytest.mark.parametrize("name", ["ssh", "get", "or_path", "handle", "commit", "reason"])
def test_what_is_for_people_is_no_argument(name: str) -> None:
    tool = {"ssh": "rerun", "commit": "deploy"}.get(name, "artifacts")
    needed = {"reason": "why"} if tool != "artifacts" else {}
    assert refused(tool, project="web", **needed, **{name: "true"}).given == name


def test_more_than_anybody_means_is_refused() -> None:
    assert "at most 100 entries" in refused("artifacts", project="web", wanted=["a"] * 1_000).problem
    many = {str(number): 1 for number in range(1_000)}
    assert "at most" in refused("deploy", project="web", reason="why", parameters=many).problem


def test_a_secret_that_was_given_is_not_said_again() -> None:
    secret = "ghp_" + "a1B2c3D4e5" * 4
    assert secret not in refused("triage", project="web", pipeline=secret).given
    assert secret not in refused("triage", project="web", **{secret: "x"}).given


def test_follow_and_find_are_read_alike() -> None:
    assert request_of_ours("follow", {"of": "mcp:1", "wait": None}) == Follow(of="mcp:1", wait=LONGEST_WAIT)
    with pytest.raises(UsageError, match="up to 45"):
        request_of_ours("follow", {"of": "mcp:1", "wait": 600})
    with pytest.raises(UsageError, match="`wait` is a whole number"):
        request_of_ours("follow", {"of": "mcp:1", "wait": True})
    with pytest.raises(UsageError, match="`intent` is missing"):
        request_of_ours("find", {})


def test_a_tool_that_is_none_is_told_with_the_nearest() -> None:
    assert unknown_tool("why-red", NAMES).did_you_mean == "why_red"
    assert unknown_tool("approve_everything", NAMES).did_you_mean is None
