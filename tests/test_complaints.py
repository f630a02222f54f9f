"""What users of other bots complain of, one by one: what they would type with us, and what comes of it."""

import importlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.answers.subscriptions import Subscriptions
from bot.grammar import split
from bot.models.build import Build
from bot.models.circleci import Pipeline
from bot.models.subscription import Event, Mode, Subscription, id_of
from bot.projects import Projects
from bot.store.subscriptions import MOST
from bot.watching.lately import would_have
from bot.watching.lists import new
from commands.rules import parse
from formatters.limits import violations
from formatters.subscriptions import listed, pages
from tests.watching.test_branches import START, build
from tests.watching.test_telling import of_two

DOCS = Path(__file__).parent.parent / "docs" / "subscriptions.md"
PROJECTS = Projects()


def rule(line: str, channel_id: str = "C0WEB") -> Subscription:
    """Return what a line that is typed in a channel subscribes it to; the default branch is `main`."""
    command, *words = split(line)
    assert command.text == "subscribe"
    found = parse(words, PROJECTS)
    made = {"channel_id": channel_id, "made_by": "U0ADA", "made_at": START, "project_slug": found.project}
    named = {
        "project_title": "acme/backend",
        "default_branch": "main",
        "id": id_of(channel_id, found.project, found.wish),
    }
    pattern = found.project if "*" in found.project else ""
    return Subscription.model_validate({**made, **named, "pattern": pattern, **found.wish.model_dump()})


def told(line: str, *builds: Build) -> list[str]:
    """Return what a channel is told of these builds, after it was told of all that came before."""
    return [f"{one.event} {one.number}" for one in would_have(rule(line), builds, reaches=None).posted]


def of(number: int, status: str, branch: str) -> Build:
    return build(number, status, vcs={"branch": branch})


def branches_are_chosen(line: str) -> None:
    builds = [
        of(1, "failed", "main"),
        of(2, "failed", "release/v2"),
        of(3, "failed", "fix"),
        of(4, "failed", "release/old"),
    ]
    assert told(line, *builds) == ["broke 1", "broke 2"]


def failures_alone_are_told(line: str) -> None:
    builds = [build(1), build(2), build(3, "success"), build(4, "success")]
    assert told(line, *builds) == ["failed 1", "failed 2"]


def a_change_alone_is_told(line: str) -> None:
    builds = [build(1), build(2), build(3, "success"), build(4, "success"), build(5)]
    assert told(line, *builds) == ["broke 1", "fixed 3", "broke 5"]


def a_star_is_any_branch(line: str) -> None:
    builds = [of(1, "failed", "main"), of(2, "success", "fix/a"), of(3, "success", "renovate/x/y")]
    assert told(line, *builds) == ["failed 1", "passed 2", "passed 3"]


def what_ran_nothing_is_no_news(line: str) -> None:
    builds = [build(1, "not_run"), build(2, "canceled"), build(3, "")]
    assert told(line, *builds) == []


def a_pattern_means_projects(line: str) -> None:
    one = rule(line)
    meant = [one.fits(f"gh/acme/{name}", f"acme/{name}") for name in ("web-shop", "web-old", "api")]
    assert meant == [True, False, False]


def a_workflow_stands_for_a_path(line: str) -> None:
    builds = [of_two(1, "failed", ""), of_two(2, "failed", "success"), of_two(3, "success", "failed")]
    assert told(line, *builds) == ["broke 3"]


def several_filters_are_one_rule(line: str) -> None:
    builds = [
        of_two(1, "failed", "failed", "octo-grace"),
        of_two(2, "success", "failed"),
        of_two(3, "failed", "success"),
    ]
    assert told(line, *builds) == ["broke 2", "fixed 3"]


def an_underscore_is_a_letter(line: str) -> None:
    assert told(line, of(1, "failed", "my_branch"), of(2, "failed", "fix_1")) == [
        "broke 1",
        "broke 2",
    ]


def one_event_is_one(line: str) -> None:
    one = rule(line)
    assert one.events == (Event.FAILED,)
    assert rule(f"subscribe {one.line}") == one


def the_same_is_one_and_another_is_added(line: str) -> None:
    first, again = rule("subscribe acme/backend main"), rule("subscribe acme/backend main broke fixed")
    assert first.id == again.id
    assert rule(line).id != first.id


def what_an_earlier_version_wrote_is_read(_line: str) -> None:
    kept = {
        "branches": ["main"],
        "events": ["broke", "fixed"],
        "mode": "thread",
        "mention": "",
        "mention_name": "",
        "id": "5f0c1a2b3c4d",
        "channel_id": "C0WEB",
        "made_by": "U0ADA",
        "made_by_name": "ada",
        "team_id": "T0ACME",
        "made_at": "2026-11-29T12:00:00Z",
        "project_slug": "gh/acme/backend",
        "project_id": "p",
        "paused": "",
        "project_title": "acme/backend",
        "default_branch": "main",
    }
    one = Subscription.model_validate_json(json.dumps(kept))
    assert one.line == "gh/acme/backend main broke fixed"
    assert [one.seen(of(1, "failed", name)) is not None for name in ("main", "fix")] == [True, False]


def what_came_meanwhile_is_read_on(line: str) -> None:
    def pipeline(number: int) -> Pipeline:
        return build(number).pipeline.model_copy(update={"created_at": START + timedelta(hours=number)})

    found = new([pipeline(number) for number in range(9, 0, -1)], 5, [rule(line)])
    assert [one.number for one in found] == [6, 7, 8, 9]


def a_long_list_pages(_line: str) -> None:
    rules = [rule(f"subscribe acme/backend topic-{number}") for number in range(MOST)]
    made = pages(rules)
    assert [one for page in made for one in page] == rules
    for page in made:
        assert violations(listed(Subscriptions(subscriptions=page, total=MOST, pages=len(made)))) == []


def where_it_is_told_is_chosen(line: str) -> None:
    assert rule("subscribe acme/backend").mode is Mode.THREAD
    assert rule(line).mode is Mode.CHANNEL


def a_group_is_mentioned(line: str) -> None:
    assert rule(line).mention == "S0ONCALL"


class Row(NamedTuple):
    """What hurts, the line for it, what happens here, and what proves that: a test of its own, by its name, or here."""

    complaint: str
    typed: str
    happens: str
    proof: str | Callable[[str], None]


STORY, TELLING = "tests.operations.test_subscribing:", "tests.watching.test_telling:"
ROWS = (
    Row(
        "There is no filter for branches.",
        "subscribe acme/backend main release/* !release/old",
        "Branches are names and globs, and `!` leaves some out.",
        branches_are_chosen,
    ),
    Row(
        "I want failures only.",
        "subscribe acme/backend failed",
        "Each end that failed is told, and no other.",
        failures_alone_are_told,
    ),
    Row(
        "Tell us when it breaks and when it is fixed, and not each time.",
        "subscribe acme/backend",
        "That is what is told where nothing else is said, of the default branch.",
        a_change_alone_is_told,
    ),
    Row(
        "`*` does not mean everything.",
        "subscribe acme/backend * failed passed",
        "It means each branch, also one with slashes.",
        a_star_is_any_branch,
    ),
    Row(
        "What was skipped looks as if it had failed.",
        "subscribe acme/backend failed",
        "What was cancelled, superseded or ran nothing is no news.",
        what_ran_nothing_is_no_news,
    ),
    Row(
        "I have to subscribe to hundreds of repositories one by one.",
        "subscribe acme/web-* !acme/web-old",
        "A pattern means projects, also those that come later.",
        a_pattern_means_projects,
    ),
    Row(
        "A monorepo needs paths.",
        "subscribe acme/backend workflow=deploy",
        "CircleCI names no paths. Where path filters choose a workflow, that one alone counts, and a build in which it "
        "does not run is no news.",
        a_workflow_stands_for_a_path,
    ),
    Row(
        "Only one label: no and, no or, no not.",
        "subscribe acme/backend main by=octo-ada workflow=deploy !renovate/*",
        "All kinds of filters hold together; of several of one kind any does, and `!` is not.",
        several_filters_are_one_rule,
    ),
    Row(
        "A filter with an underscore is no valid argument.",
        "subscribe acme/backend my_branch fix_*",
        "Whatever git takes as a name can be typed.",
        an_underscore_is_a_letter,
    ),
    Row(
        "The subscription deletes itself when the bot cannot post, and nobody hears of that.",
        "subscriptions",
        "It is paused and kept; who made it and who runs the bot hear of it, the list says why, and it goes on.",
        f"{TELLING}test_a_channel_that_takes_nothing_pauses_its_rules_and_two_people_hear_of_it_once",
    ),
    Row(
        "It is lost when who subscribed leaves, and what restores it restores something else.",
        "subscribe acme/backend main failed",
        "It belongs to the channel. The line that the list prints has it go on just so, for whoever types it.",
        f"{STORY}test_what_somebody_left_behind_goes_on_for_who_asks_for_the_same",
    ),
    Row(
        "It is lost with an upgrade.",
        "subscriptions",
        "What an earlier version kept is read.",
        what_an_earlier_version_wrote_is_read,
    ),
    Row(
        "After an outage the builds of meanwhile are never told.",
        "subscribe acme/backend",
        "The list of builds is read on from where it was read last.",
        what_came_meanwhile_is_read_on,
    ),
    Row(
        "Who asks for one kind of news gets all the usual ones too.",
        "subscribe acme/backend failed",
        "What is named is all there is, and the answer says it in one sentence.",
        one_event_is_one,
    ),
    Row(
        "*Already subscribed* is an error, and I cannot add to it.",
        "subscribe acme/backend main passed",
        "The same twice is no error, and another one stands beside it.",
        the_same_is_one_and_another_is_added,
    ),
    Row(
        "Posts come that no list shows and nothing ends.",
        "unsubscribe acme/backend main broke fixed",
        "The list is what is told, and each of its lines ends one.",
        f"{STORY}test_what_is_listed_ends_it_and_what_others_subscribed_takes_more_than_reading",
    ),
    Row(
        "The list breaks with thirty entries.",
        "subscriptions 2",
        "It has pages, each of which a message holds.",
        a_long_list_pages,
    ),
    Row(
        "A short name is answered with an error that misleads.",
        "subscribe backend main",
        "It asks whether the one project of that name is meant, with the whole line.",
        f"{STORY}test_a_short_name_asks_with_the_whole_line",
    ),
    Row(
        "The second channel gets nothing, and nothing says why.",
        "subscribe acme/backend",
        "Each channel is told for itself; where I am not in it that is said at once.",
        f"{STORY}test_where_nobody_would_hear_and_beyond_what_is_kept_nothing_begins",
    ),
    Row(
        "Replies in threads also go to the channel; or they do not, and should.",
        "subscribe acme/backend channel",
        "Each rule says which.",
        where_it_is_told_is_chosen,
    ),
    Row(
        "No group can be called.",
        "subscribe acme/backend mention=S0ONCALL",
        "It is mentioned when it breaks.",
        a_group_is_mentioned,
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.complaint[:40])
def test_what_others_complain_of_does_not_happen_here(row: Row) -> None:
    if isinstance(row.proof, str):
        module, _, name = row.proof.partition(":")
        assert callable(getattr(importlib.import_module(module), name))
    else:
        row.proof(row.typed)


def test_the_document_has_the_table() -> None:
    rows = ["| What hurts | What is typed here | What happens |", "| --- | --- | --- |"]
    rows += [f"| {row.complaint} | `/ci {row.typed}` | {row.happens} |" for row in ROWS]
    found = re.search(r"<!-- complaints: .*? -->\n(.*?)\n<!-- /complaints -->", DOCS.read_text("utf-8"), re.DOTALL)
    assert found
    assert found[1].strip() == "\n".join(rows)
