"""Let a channel use a project, where nobody names one, and say so in it."""

from bot.answers.channels import ChannelUses
from bot.errors import NothingToDo
from bot.models.caller import Caller
from bot.models.channel import Used
from bot.models.circleci import Project, Ref
from bot.models.slack import utc_now
from bot.operations.aloud import in_order, place_of, said, to_be_said
from bot.operations.frame import Intent, acting
from bot.operations.hands import Hands, Subject
from bot.policy import Word
from formatters import channels as words


async def use(hands: Hands, caller: Caller, project: Project, ref: Ref | None) -> ChannelUses:
    """Let the channel use it, in the place of what it has used.

    It takes the right to deploy what it names: the branch or the tag, else the default branch. Raises NothingToDo
    outside of a channel, and in one that would not hear of it.
    """
    place = await place_of(hands, caller)
    meant = ref or Ref(name=project.default_branch)
    subject = Subject(project.slug, project.title, meant)
    async with acting(hands, caller, Intent(subject, Word.DEPLOY, f"use {subject.about}", act="use")) as act:
        used = Used(
            project_slug=project.slug,
            project_title=project.title,
            ref=ref,
            by_id=act.caller.person_id,
            by_name=act.caller.called,
            since=utc_now(),
        )
        async with in_order(hands, place):
            await hands.store.channels.use(place.channel_id, used)
            await to_be_said(hands, once := f"use-told:{act.caller.delivery_id}", place, words.began(used))
        act.note(result=f"the channel uses {used.target}")
    told = await said(hands, once, place)
    return ChannelUses(act="set", used=used, told=told, entry=act.entry)


async def use_nothing(hands: Hands, caller: Caller) -> ChannelUses:
    """Let the channel use nothing; raises NothingToDo where it did not use anything that they may see.

    Who may set the same may end it.
    """
    place = await place_of(hands, caller)
    used = await hands.store.channels.used(place.channel_id)
    if used is None or not await hands.finder.may_read(caller, used.project_slug, used.ref):
        raise NothingToDo("uses_nothing")
    meant = used.ref or Ref(name=(await hands.reads.project(used.project_slug)).default_branch)
    subject = Subject(used.project_slug, used.project_title, meant)
    async with acting(hands, caller, Intent(subject, Word.DEPLOY, f"use {subject.about} no more", act="use")) as act:
        async with in_order(hands, place):
            await hands.store.channels.use_nothing(place.channel_id)
            once, word = f"use-told:{act.caller.delivery_id}", words.ended(used, act.caller.called)
            await to_be_said(hands, once, place, word)
        act.note(result="the channel uses nothing")
    told = await said(hands, once, place)
    return ChannelUses(act="ended", used=used, told=told, entry=act.entry)
