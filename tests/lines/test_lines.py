"""Each line does what it names, or is refused in words; whoever names anything never gets the default branch."""

import json

from hypothesis import assume, example, given
from hypothesis import strategies as st

from bot.answers.builds import BuildMeant
from bot.errors import UsageError
from bot.grammar import split
from bot.models import git
from bot.models.circleci import ProjectSlug, Ref
from bot.models.spelling import SPACES
from bot.slack.payloads import typed
from commands.deploy import parse
from formatters.answers import default_branch_chosen
from formatters.blocks import code
from formatters.choices import build_meant
from formatters.lookalikes import exactly
from tests.lines.reading import PROJECTS, does, heard, lines


def test_each_line_does_what_it_names() -> None:
    table = lines()
    assert len(table) >= 250
    assert {line.how for line in table} == {"slash", "mention", "thread", "direct", "used"}
    wrong = []
    for line in table:
        found = does(heard(line.how, line.text), line.how)
        if not (line.does[4:] in found if line.does.startswith("no: ") else line.does == found):
            wrong.append(f"{line.how} | {line.text}\n    is to: {line.does}\n    does:  {found}")
    assert not wrong, "\n".join(wrong)


PROJECT = ("acme/frontend", "frontend", "gh/acme/frontend", "https://github.com/acme/frontend")
NAMED = ("main", "tag:v2.0", "#2417", "1842", "env=prod", "tag=v2.0", "branch=x", '"', "`", "?", ".", "to")
WORD = st.one_of(st.sampled_from(NAMED), st.text(min_size=1, max_size=12))


@given(st.sampled_from(PROJECT), st.lists(WORD, min_size=1, max_size=4), st.sampled_from(SPACES))
def test_more_than_a_project_never_means_the_default_branch(project: str, words: list[str], blank: str) -> None:
    text = typed(blank.join([project, *words]))
    try:
        request = parse(split(text), PROJECTS)
        target = request.target(PROJECTS)
    except UsageError:
        return
    if not target.names_more and not request.parameters:  # what would start is the default branch
        assert text.rstrip(SPACES + ".`") in PROJECT


NAMES = st.text(min_size=1, max_size=40).filter(lambda name: not git.fault(name))
VALUES = st.one_of(st.booleans(), st.integers(-9, 10**9), st.text(max_size=20))
PARAMETERS = st.dictionaries(st.sampled_from(("env", "tag", "text")), VALUES, max_size=2)


@example("github.com/x", "branch", 7, {})
@example("git@x", "branch", 7, {"text": "`a b` c", "env": "`"})
@example("main\uff1f", "branch", 7, {"text": "prod?", "env": "why?!"})
@example("<@U0ADA>", "branch", 7, {"env": ""})
@example("`main`", "tag", 7, {"env": '"'})
@given(NAMES, st.sampled_from(("branch", "tag")), st.integers(0, 9999), PARAMETERS)
def test_the_question_names_what_its_button_deploys(
    name: str, kind: str, number: int, parameters: dict[str, str | int | bool]
) -> None:
    ref = Ref(name=name, kind=kind)
    slug, commit = ProjectSlug("gh/acme/frontend"), "38c6d84" * bool(number)
    meant = BuildMeant(
        project_slug=slug, title="acme/frontend", ref=ref, number=number, revision=commit, parameters=parameters
    )
    message = build_meant(meant)
    buttons = [one for block in message.blocks if block["type"] == "actions" for one in block["elements"]]
    values = [name, *map(str, parameters.values())]
    assert buttons or sum(map(len, values)) > 60 or any(exactly(value) != value for value in values)
    assume(buttons)  # what a dialog would cut off is not offered
    button = buttons[0]
    line = json.loads(button["value"])["text"]
    request = parse(split(line)[1:], PROJECTS)
    assert (request.target(PROJECTS).slug, request.target(PROJECTS).ref) == (slug, ref)
    assert request.parameters == parameters
    dialog = button["confirm"]["text"]["text"]
    for said in (message.text, dialog):
        assert "acme/frontend" in said
        assert all(f"{one}=" in said for one in parameters)
        assert f"#{number}" in said or not number
    assume(name.isascii() and not set("&<>`*_~:@") & set(name))  # what is shown in another way than it is typed
    assert code(str(ref)) in message.text
    assert f"acme/frontend {ref} is deployed as it stands now" in dialog
    assert code(name) in default_branch_chosen(Ref(name=name))


def test_what_a_dialog_cannot_show_is_not_offered_but_said() -> None:
    meant = BuildMeant(
        project_slug=ProjectSlug("gh/acme/frontend"), title="acme/frontend", ref=Ref(name="a" * 200), number=7,
        parameters={"text": "b" * 90},
    )  # fmt: skip
    message = build_meant(meant)
    assert [block["type"] for block in message.blocks] == ["section"]
    assert "Write the same line with" in message.blocks[0]["text"]["text"]
