"""Make an agent, and make its token good for nothing: of a token nothing is kept but what nobody can make it of."""

from datetime import timedelta

from pydantic import SecretStr

from bot.actions import AgentForm, RemoveAgent
from bot.answers.acts import Acted
from bot.answers.agents import AgentMade, AgentShown
from bot.errors import NothingToDo, SlackError
from bot.models.agent import WORDS, Agent, digest_of, new_token
from bot.models.caller import Caller
from bot.models.slack import utc_now
from bot.operations.frame import Intent, acting
from bot.operations.hands import Hands, Subject
from bot.policy import Word
from bot.settings import Settings
from formatters import agents as words

MOST = 20  # of one person


async def add(hands: Hands, caller: Caller, form: AgentForm) -> AgentMade:
    """Make an agent that speaks for the caller, or one of its own; raises NothingToDo where its name is taken."""
    async with acting(hands, caller, _intent(form.name, Word.ADMIN if form.own else Word.READ, "add")) as act:
        await may_add(hands, act.caller, form)
        token, now = new_token(), utc_now()
        agent = Agent(
            name=form.name,
            owner_id=act.caller.person_id,
            owner_name=act.caller.called,
            team_id=act.caller.team_id,
            channel_id=form.channel_id,
            own=form.own,
            words=tuple(word for word in WORDS if word in form.words),
            made_at=now,
            expires_at=now + timedelta(days=form.days),
            digest=digest_of(token),
        )
        if not await hands.store.agents.add(agent, most=MOST):
            await may_add(hands, act.caller, form)  # which says why not, by now
            raise await _taken(hands, act.caller, form.name)
        whose = " on its own" if agent.own else ""
        act.note(result=f"it may {', '.join(agent.words)}{whose} until {agent.expires_at:%Y-%m-%d}")
    return AgentMade(
        agent=AgentShown.of(agent), token=SecretStr(token), address=_address(hands.settings), entry=act.entry
    )


async def may_add(hands: Hands, caller: Caller, form: AgentForm) -> None:
    """Raise NothingToDo where none can be made: nobody would let it in, or hear of what it asks for."""
    if not hands.settings.agents:
        raise NothingToDo("agents_off")
    if why := await hands.permissions.no_agent(caller):
        raise NothingToDo("no_agent_for_you", what=why)
    kept = await hands.store.agents.all()
    if any(one.name == form.name for one in kept):
        raise await _taken(hands, caller, form.name)
    if len([one for one in kept if one.owner_id == caller.person_id]) >= MOST:
        raise NothingToDo("agents_enough", number=MOST)
    if not await _is_with(hands, caller, form.channel_id):
        raise NothingToDo("no_agent_channel")


async def remove(hands: Hands, caller: Caller, button: RemoveAgent) -> Acted:
    """Remove an agent of the caller's, or as one of those who look after the bot; raises NothingToDo where it is gone.

    Whose it was is told by who removed it.
    """
    agent = await hands.store.agents.get(button.name)
    if agent is None or agent.made_at != button.made_at:
        raise NothingToDo("gone", what=button.name)
    is_own = agent.owner_id == caller.person_id
    async with acting(hands, caller, _intent(agent.name, Word.READ if is_own else Word.ADMIN, "remove")) as act:
        if not await hands.store.agents.remove(agent):
            raise NothingToDo("gone", what=button.name)
        agent = agent.called(await hands.messenger.user_name(agent.owner_id))
        act.note(for_id=agent.owner_id, for_name=agent.owner_name)
    if not is_own:
        await hands.direct(agent.owner_id, words.removed_by(agent.name, act.caller.called))
    return act.done("remove_agent", what=agent.name)


def _intent(name: str, word: Word, what: str) -> Intent:
    return Intent(Subject(), word, f"{what} the agent {name}", somewhere=word is Word.READ, idempotent=True)


async def _taken(hands: Hands, caller: Caller, name: str) -> NothingToDo:
    taken, kept = NothingToDo("agent_taken", what=name), await hands.store.agents.get(name)
    taken.is_own = kept is not None and kept.owner_id == caller.person_id
    return taken


async def _is_with(hands: Hands, caller: Caller, channel_id: str) -> bool:
    """Say whether somebody and we are in a channel, where what an agent asks for stands, and it may what they may.

    Direct messages are ours with them, and nobody else's.
    """
    try:
        if channel_id.startswith("D"):
            return channel_id == await hands.messenger.direct_channel(caller.person_id)
        is_here = caller.place is not None and caller.place.channel_id == channel_id
        if not is_here and channel_id not in await hands.messenger.channels_of(caller.person_id):
            return False
        return await hands.messenger.is_in(channel_id)
    except SlackError:
        return False


def _address(settings: Settings) -> str:
    """Return where agents ask: without a public address they can on this machine alone."""
    return f"{(settings.public_url or f'http://127.0.0.1:{settings.port}').rstrip('/')}/mcp"
