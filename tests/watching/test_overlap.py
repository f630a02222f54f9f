"""What of a new subscription its channel hears already: by their words alone, and never more than both tell."""

import pytest

from bot.models.subscription import Subscription
from bot.watching.overlap import heard_already
from tests.formatters.test_subscriptions import one

BACKEND = {"project_slug": "gh/acme/backend", "project_title": "acme/backend"}
ALL_OF_ACME = {"project_slug": "acme/*", "project_title": "acme/*", "pattern": "acme/*", "default_branch": ""}


def rule(line: str, **more: object) -> Subscription:
    """Return one by its branches and, behind a bar, its events."""
    branches, _, events = line.partition("|")
    said = {"events": tuple(events.split())} if events.strip() else {}
    return one(branches=tuple(branches.split()), **{**said, **more})


def shown(found: Subscription) -> str:
    return f"{' '.join(found.branches)} | {' '.join(found.events)}"


@pytest.mark.parametrize(
    ("now", "other", "both"),
    [
        ("main", "", ["main | broke fixed"]),
        ("", "main", ["main | broke fixed"]),
        ("", "*", ["main | broke fixed"]),
        ("*", "", ["main | broke fixed"]),
        ("develop", "", []),
        ("release/v2*", "release/*", ["release/v2* | broke fixed"]),
        ("release/*", "hotfix/*", []),
        ("*", "* !renovate/*", ["* !renovate/* | broke fixed"]),
        ("main", "* !main", []),
        ("!renovate/*", "!old", ["* !renovate/* !old | broke fixed"]),
        ("main | failed", "main | broke fixed", ["main | broke"]),
        ("main | broke fixed", "main | failed passed", ["main | broke fixed"]),
        ("main | failed passed", "main | failed", ["main | failed"]),
        ("main | broke still-red", "main | fixed waiting", []),
        ("main | waiting deployed", "* | deployed slow", ["main | deployed"]),
        ("main tag:v*", "tag:v2.0", ["tag:v2.0 | failed passed"]),
        ("tag:v* | broke", "tag:* | failed", ["tag:v* | broke"]),
        ("tag:v* | still-red deployed", "tag:v* | still-red", []),
        ("tag:v*", "", []),
        ("main tag:*", "* tag:v*", ["main | broke fixed", "tag:v* | failed passed"]),
    ],
)
def test_what_both_tell_is_heard_already(now: str, other: str, both: list[str]) -> None:
    assert [*map(shown, heard_already(rule(now), [rule(other, id="s2")]))] == both


@pytest.mark.parametrize(
    ("now", "other", "narrower"),
    [
        ({"by": "octo-ada"}, {}, ("octo-ada", ())),
        ({}, {"workflows": ("deploy",)}, ("", ("deploy",))),
        ({"by": "octo-ada"}, {"by": "OCTO-ADA", "workflows": ("deploy",)}, ("octo-ada", ("deploy",))),
        ({"by": "octo-ada"}, {"by": "octo-grace"}, None),
        ({"workflows": ("deploy",)}, {"workflows": ("lint",)}, None),
        ({}, {"paused": "is_archived"}, None),
        ({}, {"id": "s1"}, None),
        ({}, BACKEND, None),
    ],
)
def test_it_is_of_the_builds_that_both_are_about(
    now: dict[str, object], other: dict[str, object], narrower: tuple[str, tuple[str, ...]] | None
) -> None:
    found = heard_already(one(**now), [one(**{"id": "s2", **other})])
    assert [(both.by, both.workflows) for both in found] == ([narrower] if narrower else [])


@pytest.mark.parametrize(
    ("now", "other", "of"),
    [
        (BACKEND, ALL_OF_ACME, ("acme/backend", "", ("main",))),
        (ALL_OF_ACME, BACKEND, ("acme/backend", "", ("main",))),
        (ALL_OF_ACME, ALL_OF_ACME, ("acme/*", "acme/*", ())),
        (BACKEND, {**ALL_OF_ACME, "left_out": ("acme/backend",)}, None),
        (BACKEND, {**ALL_OF_ACME, "pattern": "acme/web-*"}, None),
    ],
)
def test_a_pattern_is_of_the_projects_that_it_means(
    now: dict[str, object], other: dict[str, object], of: tuple[str, str, tuple[str, ...]] | None
) -> None:
    found = heard_already(one(**now), [one(**{**other, "id": "s2"})])
    assert [(both.project_title, both.pattern, both.branches) for both in found] == ([of] if of else [])
