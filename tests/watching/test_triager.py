"""How often, and after which pauses, a reply that Slack would not take is completed."""

from datetime import timedelta
from typing import cast

import pytest
from structlog.testing import capture_logs

from bot.errors import SlackError, SlackLimited
from bot.models.build import Build, Report, Run, Snapshot
from bot.models.caller import Place
from bot.models.circleci import Job, JobId
from bot.models.history import Extent
from bot.settings import Projects, Settings
from bot.store import Store
from bot.triage.diagnosis import Triage
from bot.watching.engine import Engine
from bot.watching.teller import Teller
from bot.watching.triager import MOST_TRIES, Past, Triager, final_key, next_try
from formatters import final
from formatters.links import Links
from playground.slack.api import Slack
from tests.store.test_watches import PIPELINE, watch
from tests.watching.test_trouble import build, settings

__all__ = ["settings"]

INTERVAL = timedelta(seconds=5)
REFUSED = SlackError("chat.update", "fatal_error")


def test_the_pauses_grow_and_end() -> None:
    pauses = [next_try(tries, [REFUSED], INTERVAL) for tries in range(1, MOST_TRIES + 1)]
    seconds = [pause.total_seconds() for pause in pauses if pause is not None]
    assert seconds == [10, 20, 40, 80, 160, 300, 300, 300, 300]
    assert pauses[-1] is None


def test_slack_is_left_alone_as_long_as_it_asks() -> None:
    limited = SlackLimited("chat.update", timedelta(minutes=7))
    assert next_try(1, [REFUSED, limited, SlackLimited("chat.update", INTERVAL)], INTERVAL) == timedelta(minutes=7)
    assert next_try(MOST_TRIES, [limited], INTERVAL) is None


@pytest.fixture
def triager(settings: Settings, store: Store, teller: Teller) -> Triager:
    return Triager(settings, Projects(), store, cast("Past", None), teller, cast("Engine", None), Links())


async def test_an_end_that_another_version_wrote_is_left_to_it_for_a_while(store: Store, triager: Triager) -> None:
    assert await triager.triage(PIPELINE, "w") is None  # there is none
    await store._connection.redis.set(f"ci:ended:{PIPELINE}", '{"from": "the future"}')
    pauses = [await triager.triage(PIPELINE, "w") for _ in range(MOST_TRIES)]
    assert pauses[0] == 2 * INTERVAL
    assert [one is None for one in pauses] == [False] * (MOST_TRIES - 1) + [True]


def test_verdicts_that_cannot_be_shown_are_said_to_be_missing(triager: Triager) -> None:
    nonsense = cast("Triage", object())
    with capture_logs() as said:
        message = triager._completed(build("failed"), Report(), watch(), nonsense, None)
    assert [one["event"] for one in said] == ["verdicts_broke"]
    assert "something broke on my side" in str(message.blocks)


@pytest.mark.parametrize("runs_again", [False, True])
async def test_the_root_has_the_verdict_unless_the_build_runs_again(
    slack: Slack, store: Store, teller: Teller, triager: Triager, runs_again: bool
) -> None:
    channel = slack.workspace.channel("deploys")
    ended = build("failed")
    job = Job(id=JobId("j"), name="unit", status="failed")
    ended = ended.model_copy(update={"runs": (ended.runs[0].model_copy(update={"jobs": (job,)}),)})
    follows = watch(thread=Place(channel_id=channel.id))
    await store.watches.add(follows)
    follows = await teller.root(follows, ended, final=True)
    await teller.final(follows, final_key(ended), final.final(ended, Report(), follows, Links()), "")
    told = channel.roots[0].visible
    await store.watches.save_snapshot(PIPELINE, Snapshot(build=again() if runs_again else ended))
    assert await triager._complete(ended, Report(), Triage(extent=Extent(base="main", builds=3))) == []
    assert (channel.roots[0].visible == told) == runs_again
    assert ("unknown ref · unit" in channel.roots[0].visible) != runs_again
    assert "Compared with 3 earlier builds" in channel.roots[0].replies[0].visible


def again() -> Build:
    """Return the same build in its second attempt."""
    running = build("running")
    workflow = running.runs[0].workflow.model_copy(update={"id": "w2"})
    return running.model_copy(update={"runs": (Run(workflow=workflow, attempt=2),)})
