"""An old build is not shipped over a newer one without a word, whatever button or word leads to it."""

from pathlib import Path

from bot.actions import ApproveJob, RerunAll, RerunFailed
from tests.operations.scene import ON_HOLD, OVER, RUNNING, presses, pushed, said, somewhere, team_under, types, writes


async def test_what_was_pushed_since_a_message_is_named_before_the_act_that_it_offers(tmp_path: Path) -> None:
    async with team_under("", tmp_path, poll_interval_seconds=3600) as team:
        place, grace = somewhere(team), team.grace
        old, held = pushed(team, "release/v2.0", OVER), pushed(team, "hold/prod", ON_HOLD)
        approval = ApproveJob(
            pipeline_id=held.id, workflow_id=held.runs[0].id, approval_request_id=held.runs[0].job_ids["hold-prod"]
        )
        newer, above = pushed(team, "release/v2.0", OVER), pushed(team, "hold/prod", ON_HOLD)
        for press, about, seen in (
            (RerunFailed(pipeline_id=old.id), old, newer),
            (RerunAll(pipeline_id=old.id), old, newer),
            (approval, held, above),
        ):
            (question,) = await presses(team, grace, place, press)
            assert f"There is a newer build: {'⏸️ On hold' if about is held else '❌ Failed'} · #{seen.number}" in (
                question.visible
            )
            assert f"This is an older one: {'⏸️ On hold' if about is held else '❌ Failed'} · #{about.number}" in (
                question.visible
            )
            assert question.buttons[0].endswith(f"of #{about.number}")
            assert f"There is a newer build: #{seen.number}." in str(question.blocks)  # in the dialog, which is enough
        (typed,) = await types(team, grace, f"rerun acme/frontend #{old.number}")
        assert writes(team) == []
        pushed(team, "release/v2.0", OVER)
        assert "Nothing runs again yet" in said(await presses(team, grace, typed, typed.buttons[0]))  # a newer one yet
        waits = said(await types(team, grace, f"rerun acme/frontend #{held.number}"))
        assert f"#{held.number} waits for an approval, and has not ended" in waits  # nothing that could not be done
        (listed,) = await types(team, grace, f"approve acme/frontend #{held.number}")
        await presses(team, grace, listed, listed.buttons[0])  # its dialog has named the newer one
        assert len(writes(team)) == 1
        assert "Nothing is approved yet" not in said(await presses(team, grace, place, approval))  # it waits no more
        (question,) = await types(team, grace, f"rerun acme/frontend #{old.number}")
        await presses(team, grace, question, question.buttons[0])
        assert len(writes(team)) == 2
        await team.reads(f"#{old.number}")  # as if it had been typed there, it is followed
        assert "Nothing runs again yet" not in said(await presses(team, grace, place, RerunAll(pipeline_id=old.id)))
        assert len(writes(team)) == 2  # it runs already


async def test_what_is_shown_of_an_old_build_names_the_newer_one(tmp_path: Path) -> None:
    async with team_under("", tmp_path, poll_interval_seconds=3600) as team:
        old = pushed(team, "release/v2.0", OVER)
        assert "newer build" not in said(await types(team, team.grace, f"status acme/frontend #{old.number}"))
        newer = pushed(team, "release/v2.0", RUNNING)
        told = f"There is a newer build: #{newer.number}."
        for line in (f"status acme/frontend #{old.number}", "why-red acme/frontend release/v2.0"):
            assert told in said(await types(team, team.grace, line))
        (triaged,) = await types(team, team.grace, f"triage acme/frontend #{old.number}")
        assert told in triaged.visible
        assert told in triaged.element("Rerun failed")["confirm"]["text"]["text"]
        assert f"The newest that passed or failed is #{old.number}" in said(
            await types(team, team.grace, "why-red acme/frontend release/v2.0")
        )
