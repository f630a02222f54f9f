"""Each line does what it names, or is refused in words; whoever names anything never gets the default branch."""

from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UsageError
from bot.grammar import split
from bot.models.spelling import SPACES
from bot.slack.payloads import typed
from commands.deploy import parse
from tests.lines.reading import PROJECTS, does, heard, lines


def test_each_line_does_what_it_names() -> None:
    table = lines()
    assert len(table) >= 150
    assert {line.how for line in table} == {"slash", "mention", "thread", "direct"}
    wrong = []
    for line in table:
        found = does(heard(line.how, line.text))
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
