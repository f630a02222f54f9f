"""Who asks by mention is answered before everybody; what a slash command found is shared with a button, once."""

from datetime import timedelta
from pathlib import Path

from bot.actions import ShareAnswer
from playground.slack.conversations import Message
from playground.slack.people import Person
from tests.operations.scene import presses, pushed, record, said, somewhere, team_under, types, writes
from tests.stories.team import Team

GREEN, _LONG = "try/green", timedelta(minutes=10)
POLICY = """
[roles.release-team]
groups = ["S0RELEASE"]

[[rules]]
name = "members look at the frontend"
roles = ["members"]
words = ["read"]
projects = ["acme/frontend"]

[[rules]]
name = "the release team looks at all"
roles = ["release-team"]
words = ["read"]
"""


async def asks(team: Team, person: Person, text: str, thread_ts: str | None = None) -> tuple[str, str]:
    """Mention the bot; returns what everybody reads in the thread since, and what the person alone does."""
    alone, channel = person.mark, team.deploys
    before = list(channel.messages)
    event = (await person.mention("deploys", text, thread_ts=thread_ts)).payload["event"]
    await team.until(lambda: person.sees_only_since(alone) or _answers(team, event, before))
    await team.is_done()
    return said(_answers(team, event, before)), said(person.sees_only_since(alone))


def _answers(team: Team, event: dict[str, str], before: list[Message]) -> list[Message]:
    thread_ts = event.get("thread_ts") or event["ts"]
    return [one for one in team.deploys.thread(thread_ts) if one.bot_id and one not in before]


async def test_a_mention_is_answered_for_all_to_see_but_what_is_private(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        build = pushed(team, GREEN, 400)
        await types(team, team.grace, "lock acme/frontend main database migration")
        about = f"acme/frontend #{build.number}"

        # In a thread under what was asked; those who are named in it are not notified.
        for_all, alone = await asks(team, team.ada, "locks")
        assert "acme/frontend main · grace · " in for_all
        assert "@grace" not in for_all
        assert not alone
        # In the thread in which it was asked.
        thread = team.slack.workspace.post(team.deploys, team.grace.id, "Is it red?", [])
        for text in (f"status {about}", f"tests {about}", "how is acme/frontend try/green doing?"):
            for_all, alone = await asks(team, team.ada, text, thread.ts)
            assert "acme/frontend" in for_all
            assert not alone
        # What is about who asked, or asks them something, is for them.
        for text in (
            "help",
            "me",
            "may deploy acme/frontend main",
            "audit",
            "status",
            "staus acme/frontend",
            "cancel x",
        ):
            for_all, alone = await asks(team, team.ada, text, thread.ts)
            assert not for_all
            assert alone

        # Where Slack's answer to the post is lost, it stands once: nobody is told the same alone.
        team.slack.faults.add("POST", "*/chat.postMessage", drop="after")
        for_all, alone = await asks(team, team.ada, f"status {about}", thread.ts)
        assert for_all
        assert not alone

        # Where the thread takes nothing, nobody sees nothing.
        team.slack.refuse("chat.postMessage", "restricted_action_thread_locked", times=1)
        for_all, alone = await asks(team, team.ada, f"status {about}", thread.ts)
        assert not for_all
        assert about in alone.replace("*", "").replace(" · try/green · ", " ")

        # What the channel is told of a lock is not said a second time.
        for_all, alone = await asks(team, team.ada, "unlock acme/frontend main", thread.ts)
        assert "acme/frontend main is unlocked. The channel has the news." in for_all
        before = len(team.deploys.roots)
        event = (await team.ada.mention("deploys", "lock acme/frontend main again")).payload["event"]
        await team.until(lambda: len(team.deploys.roots) > before + 1)
        await team.is_done()
        assert not team.deploys.thread(event["ts"])
        assert team.count("ada locked acme/frontend main: again") == 1
        assert "I refuse deploys" not in said(team.ada.sees_only)


async def test_what_one_was_told_alone_is_shared_once_as_it_is_then(tmp_path: Path) -> None:
    async with team_under(POLICY, tmp_path) as team:
        build = pushed(team, GREEN, 20, slug="gh/acme/backend")
        channel = team.deploys
        (answer,) = await types(team, team.ada, f"status acme/backend #{build.number}")
        assert "Running" in answer.visible
        share = answer.element("Share here")

        # Who may not look at it any more shares nothing, and may try again.
        group = team.slack.workspace.usergroups["S0RELEASE"].users
        group.remove(team.ada.id)
        team.app.permissions.forget()  # as after a minute
        assert "You may not" in said(await presses(team, team.ada, answer, share))
        assert not channel.messages
        group.append(team.ada.id)
        team.app.permissions.forget()

        # Where two press at once, and CircleCI tells neither, nobody reads that it is shared.
        mark = team.ada.mark
        team.circleci.faults.add("GET", "*", status=503, times=None)
        await team.ada.click(answer, share)
        await presses(team, team.ada, answer, share)
        team.circleci.faults.clear()
        assert "CircleCI" in said(team.ada.sees_only_since(mark))
        assert "already" not in said(team.ada.sees_only_since(mark))

        # It is asked for anew; that Slack's answer to the post is lost changes nothing.
        team.circleci.world.clock.advance(_LONG)
        team.circleci.world.tick()
        team.slack.faults.add("POST", "*/chat.postMessage", drop="after")
        await presses(team, team.ada, answer, share)
        (public,) = channel.messages
        assert "Passed" in public.visible
        assert "Shared by ada · as of " in public.visible
        assert not public.thread_ts
        link = team.slack.workspace.permalink(public)
        assert "Shared here: the message" in answer.visible.replace(f" ({link})", "")
        assert "Share here" not in answer.buttons
        # In a window that shows the button still, it is there already.
        (again,) = await presses(team, team.ada, answer, share)
        assert "It is shared here already" in again.visible
        assert link in str(again.blocks)
        assert channel.messages == [public]

        # What becomes a file is not shared: whoever presses again has it again.
        line = f"artifacts get acme/backend #{build.number} coverage"
        for _ in range(2):
            told = said(await presses(team, team.ada, somewhere(team), ShareAnswer(text=line, asked="a file")))
            assert "shared" not in told
        # Where Slack takes it and says nothing, and does not let us look, that is said.
        lost = ShareAnswer(text="locks", asked="a lost one")
        team.slack.faults.add("POST", "*/chat.postMessage", drop="after")
        team.slack.refuse("conversations.history", "missing_scope")
        assert "it may be shared or not" in said(await presses(team, team.ada, somewhere(team), lost))
        await presses(team, team.ada, somewhere(team), lost)
        assert team.count("Shared by ada") == 2  # the second press finds it


async def test_in_a_channel_without_the_bot_it_says_how_to_share(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        random = team.slack.workspace.channel("random")
        await team.ada.command("random", "/ci", "locks")
        answer = await team.is_told(team.ada, "Nothing is locked.")
        (told,) = await presses(team, team.ada, answer, "Share here")
        assert "type /invite @ci and press again" in told.visible.replace("`", "")
        assert not random.messages
        random.members.append(team.slack.workspace.bot_user_id)
        await presses(team, team.ada, answer, "Share here")
        assert "Nothing is locked." in said(random.messages)
        # Two at once, in two windows: one post.
        (answer,) = await types(team, team.grace, "locks")
        share = answer.element("Share here")
        await team.grace.click(answer, share)
        await presses(team, team.grace, answer, share)
        assert team.count("Nothing is locked.") == 1
        # What a sentence, or a short name, was read as is what is shared.
        for text in ("how is acme/backend main doing?", "status backend main"):
            (answer,) = await types(team, team.ada, text)
            await presses(team, team.ada, answer, "Share here")
            assert "Shared here: " in answer.visible
            assert "acme/backend · main" in team.deploys.messages[-1].visible.replace("*", "")
        # An answer of long ago, or of another process, is shared as well; what does anything never is.
        old = somewhere(team)
        await presses(team, team.grace, old, ShareAnswer(text="projects front", asked="an answer of long ago"))
        assert team.count("Shared by grace") == 2
        for line in ("deploy acme/frontend main", "unlock acme/frontend", "unwatch acme/frontend", "use acme/frontend"):
            (told,) = await presses(team, team.ada, old, ShareAnswer(text=line, asked=line))
            assert "I do not know this button any more" in told.visible
        assert not writes(team)
        assert not await record(team)
        # Among two there is nobody else to share it with.
        await team.ada.message_bot("locks")
        await team.until(lambda: team.ada.direct_messages[-1].bot_id)
        assert not team.ada.direct_messages[-1].buttons
