"""Answers of API v1.1 as odd as they were recorded, all the way to a message that Slack takes."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.answers.jobs import JobSteps
from bot.answers.keeps import CheckoutKeys
from bot.answers.lists import FollowedProjects, ProjectResult, RecentBuilds
from bot.answers.people import TokenOwner
from bot.models.circleci import ClassicBuild, Collaboration, ProjectSlug, User
from bot.models.classic import BuildSummary, CheckoutKey, FollowedProject
from formatters import credentials, lists, steps
from formatters.blocks import Message
from formatters.limits import violations
from formatters.links import Links

SAMPLES = Path(__file__).parents[1] / "samples"


def load(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"))


def text(message: Message) -> str:
    assert violations(message) == []
    return "\n".join(block["text"]["text"] for block in message.blocks if block["type"] == "section")


def test_builds_of_every_status_and_with_missing_keys() -> None:
    builds = tuple(BuildSummary.model_validate(one) for one in load("v11-builds-odd.json"))
    told = text(lists.recent(RecentBuilds(builds=builds), Links())).splitlines()[1:]
    assert [line.partition(" · ")[0] for line in told] == [
        "↻ retried",
        "✅ fixed",
        "✅ passed without tests",
        "➖ not run",
        "⏳ queued",
    ]
    assert "<" not in told[1].partition("!date")[0][:-1]  # no address without the code host
    assert "jobs/bb/person-a/tool/317" in told[2]
    assert "a&amp;b" in told[4]


def test_projects_with_encoded_branches_and_none() -> None:
    found = [FollowedProject.model_validate(one) for one in load("v11-projects-odd.json")]
    results = tuple(ProjectResult.of(one) for one in found)
    told = text(lists.projects(FollowedProjects(of=len(found), projects=results)))
    assert "• person-a/tool · release/1 · newest job ❌ failed (252)" in told
    assert told.count("never built") == 2
    assert "SECRET" not in repr(found)


def test_keys_and_organisations() -> None:
    keys = tuple(CheckoutKey.model_validate(one) for one in load("v11-checkout-keys.json"))
    listed = CheckoutKeys(project_slug=ProjectSlug("gh/acme/frontend"), project_title="acme/frontend", keys=keys)
    assert "`SHA256:AbC/d+e=`" in text(credentials.keys(listed))
    one = listed.model_copy(update={"keys": keys[1:2], "which": keys[1].fingerprint})
    assert "ssh-rsa" in text(credentials.keys(one))
    organizations = tuple(Collaboration.model_validate(one) for one in load("v2-collaborations.json"))
    assert "person-a, Acme" in text(lists.me(TokenOwner(user=User(), organizations=organizations)))
    assert "no organisation" in text(lists.me(TokenOwner(user=User(name="Bot"), organizations=())))
    assert "follows no project" in text(lists.projects(FollowedProjects(of=0, projects=())))
    assert "Nothing ran lately" in text(lists.recent(RecentBuilds(builds=()), Links()))


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.glob("v11-build-detail*")))
def test_every_recorded_job_is_shown_with_its_steps(name: str) -> None:
    build = ClassicBuild.model_validate(load(name))
    told = text(steps.job(JobSteps(project_slug=ProjectSlug("gh/acme/frontend"), build=build)))
    assert told.count("*slowest*") <= 1
    assert str(build.build_num) in told
