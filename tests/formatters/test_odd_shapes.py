"""Answers of API v1.1 as odd as they were recorded, all the way to a message that Slack takes."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.models.circleci import ClassicBuild, Collaboration, User
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
    builds = [BuildSummary.model_validate(one) for one in load("v11-builds-odd.json")]
    told = text(lists.recent(builds, Links())).splitlines()[1:]
    assert [line.partition(" · ")[0] for line in told] == [
        "↻ retried",
        "✅ fixed",
        "✅ passed without tests",
        "⏳ not run",
        "⏳ queued",
    ]
    assert "<" not in told[1].partition("!date")[0][:-1]  # no address without the code host
    assert "jobs/bb/person-a/tool/317" in told[2]
    assert "a&amp;b" in told[4]


def test_projects_with_encoded_branches_and_none() -> None:
    found = [FollowedProject.model_validate(one) for one in load("v11-projects-odd.json")]
    told = text(lists.projects(found, ""))
    assert "• person-a/tool · release/1 · ❌ failed (252)" in told
    assert told.count("never built") == 2
    assert "SECRET" not in repr(found)


def test_keys_and_organisations() -> None:
    keys = [CheckoutKey.model_validate(one) for one in load("v11-checkout-keys.json")]
    assert "`SHA256:AbC/d+e=`" in text(credentials.keys("acme/frontend", keys))
    assert "ssh-rsa" in text(credentials.key("acme/frontend", keys[1]))
    organizations = [Collaboration.model_validate(one) for one in load("v2-collaborations.json")]
    assert "person-a, Acme" in text(lists.me(User(), organizations))
    assert "no organisation" in text(lists.me(User(name="Bot"), []))
    assert "follows no project" in text(lists.projects([], ""))
    assert "Nothing ran lately" in text(lists.recent([], Links()))


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.glob("v11-build-detail*")))
def test_every_recorded_job_is_shown_with_its_steps(name: str) -> None:
    build = ClassicBuild.model_validate(load(name))
    told = text(steps.job(build, build.workflows.job_name))
    assert told.count("*slowest*") <= 1
    assert str(build.build_num) in told
