"""People who speak as they speak: what only looks is answered, and what acts is asked first."""

from tests.stories.team import Team


async def test_a_sentence_that_looks_is_answered_with_what_was_understood(team: Team) -> None:
    await team.ada.mention("deploys", "wer hat acme/frontend main kaputt gemacht?")
    told = await team.is_told(team.ada, "I read this as `@ci why-red acme/frontend main`.")
    assert "main" in told.visible
    await team.ada.message_bot("is acme/frontend main green")
    await team.slack.wait_for(lambda: [one for one in team.ada.direct_messages if "I read this as" in one.visible])
    assert team.posts("/pipeline/run") == team.posts("/pipeline") == []


async def test_a_sentence_that_acts_starts_nothing_before_its_dialog_is_confirmed(team: Team) -> None:
    await team.ada.command("deploys", "/ci", "could you ship acme/frontend main, please?")
    told = await team.is_told(team.ada, "I read this as `deploy acme/frontend main`. Nothing is done yet.")
    assert "acme/frontend, branch main" in told.element("Deploy main")["confirm"]["text"]["text"]
    assert team.posts("/pipeline/run") == team.posts("/pipeline") == []
    await team.ada.click(told, "Deploy main")
    await team.reads("Passed in")


async def test_what_no_line_can_say_of_a_sentence_is_told_and_not_left_out(team: Team) -> None:
    await team.ada.command("deploys", "/ci", "could you ship main of acme/frontend to production?")
    told = await team.is_told(team.ada, "I know no environments, so nothing is done about `to production`.")
    assert "/ci deploy acme/frontend main" in told.visible
    await team.ada.command("deploys", "/ci", "ship acme/frontend main to production")
    other = await team.is_told(team.ada, "I read `ship` as `deploy`. I expected name=value after the branch. I know no")
    assert told.buttons == other.buttons == []
    await team.ada.command("deploys", "/ci", "despliega acme/frontend main mañana por favor")
    told = await team.is_told(team.ada, "at no other time, so nothing is done about `mañana`.")
    assert "/ci deploy acme/frontend main" in told.visible
    assert told.buttons == []
    await team.ada.command("deploys", "/ci", "bitte deploye acme/frontend main übermorgen")  # which is less sure
    told = await team.is_told(team.ada, "at no other time, so nothing is done about `übermorgen`.")
    assert "/ci deploy acme/frontend main" in told.visible
    await team.ada.command("deploys", "/ci", "sperre acme/frontend main morgen für 2 Stunden")
    told = await team.is_told(team.ada, "at no other time, so nothing is done about `morgen`.")
    assert "type the line" not in told.visible
    assert told.buttons == []
    await team.ada.command("deploys", "/ci", "nobody deploys acme/frontend main until I am back")
    told = await team.is_told(team.ada, "I cannot tell when `until I am back` is, so the lock has no end")
    assert 'lock acme/frontend:main "until I am back"' in told.element("Lock main")["confirm"]["text"]["text"]
    await team.ada.command("deploys", "/ci", "roll back acme/frontend main")
    await team.is_told(team.ada, "I take nothing back. Deploy a branch or a tag that is as it was before.")
    await team.ada.command("deploys", "/ci", "freeze acme/frontend migration")
    told = await team.is_told(team.ada, "I read this as `lock acme/frontend migration`.")
    dialog = told.element("Lock acme/frontend migration")["confirm"]["text"]["text"]
    assert "Project acme/frontend, all of it, or the branch that the line names." in dialog
    await team.ada.command("deploys", "/ci", "tell us when release/* of acme/frontend breaks between 9 and 17")
    told = await team.is_told(team.ada, "No line says `between 9 and 17`, so that is left out.")
    assert "subscribe acme/frontend release/*" in told.element(told.buttons[0])["confirm"]["text"]["text"]
    await team.ada.command("deploys", "/ci", "ping @oncall when main of acme/frontend breaks")
    told = await team.is_told(team.ada, "give Slack's id of the group, as in mention=S0ONCALL.")
    assert told.buttons == []
    await team.ada.command("deploys", "/ci", "mute acme/frontend main until monday")
    await team.is_told(team.ada, "I read this as `snooze acme/frontend main until monday`. Nothing is done yet.")
    await team.ada.command("deploys", "/ci", "end the snooze of acme/frontend main")
    told = await team.is_told(team.ada, "I read this as `snooze acme/frontend main off`. Nothing is done yet.")
    assert told.element("End the snooze of main")["confirm"]["confirm"]["text"] == "End the snooze"
    await team.ada.command("deploys", "/ci", "notify me when my builds fail")
    told = await team.is_told(team.ada, "I read this as `notify me failed`. Nothing is done yet.")
    assert told.element("Notify me failed")
    assert team.posts("/pipeline/run") == team.posts("/pipeline") == []


async def test_in_a_thread_it_is_about_the_build_of_the_thread(team: Team) -> None:
    await team.runs("try/slow")
    await team.until(lambda: team.deploys.roots)
    for said, line in (
        ("run it again please", "rerun acme/frontend #"),
        ("freeze this", "lock acme/frontend:try/slow"),
    ):
        await team.ada.mention("deploys", said, team.root.ts)
        told = await team.is_told(team.ada, f"I read this as `{line}")
        assert "acme/frontend" in told.element(told.buttons[0])["confirm"]["text"]["text"]
    await team.ada.mention("deploys", "stop the build", team.root.ts)
    await team.is_told(team.ada, "is not finished")  # the list, whose buttons have dialogs of their own
    assert team.posts("/cancel") == team.posts("/rerun") == []
    team.time_flies()
    await team.reads("Passed in")
    await team.ada.mention("deploys", "is it green now?", team.root.ts)
    await team.reads("I read this as `@ci status acme/frontend #")


async def test_in_a_channel_that_uses_a_project_it_is_about_that(team: Team) -> None:
    await team.ada.command("deploys", "/ci", "use acme/frontend main")
    await team.reads("acme/frontend")
    await team.ada.command("deploys", "/ci", "ist alles grün?")
    await team.is_told(team.ada, "I read this as `/ci status acme/frontend main`.")
    await team.ada.command("deploys", "/ci", "ship it")
    told = await team.is_told(team.ada, "I read this as `deploy acme/frontend main`. Nothing is done yet.")
    assert "acme/frontend, branch main" in told.element("Deploy main")["confirm"]["text"]["text"]
    assert team.posts("/pipeline/run") == team.posts("/pipeline") == []


async def test_who_says_no_to_a_subscription_is_offered_its_end(team: Team) -> None:
    await team.ada.command("deploys", "/ci", "subscribe acme/frontend main")
    await team.reads("acme/frontend")
    await team.ada.command("deploys", "/ci", "stop telling us about acme/frontend main")
    told = await team.is_told(team.ada, "I read this as `unsubscribe acme/frontend main`. Nothing is done yet.")
    dialog = told.element("Unsubscribe main")["confirm"]["text"]["text"]
    assert dialog == "Project acme/frontend, branch main. This carries out: unsubscribe acme/frontend main"
    await team.ada.command("deploys", "/ci", "please unsubscribe this channel from acme/frontend")
    told = await team.is_told(team.ada, "I read this as `unsubscribe acme/frontend`. Nothing is done yet.")
    await team.ada.click(told, "Unsubscribe acme/frontend")
    await team.reads("I do not say here any more")
