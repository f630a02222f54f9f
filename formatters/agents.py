"""Agents, in words: what one will be able to do, its token with the lines to paste, which there are."""

import json
from collections.abc import Sequence

from bot.actions import AgentForm, RemoveAgent
from bot.answers.agents import AgentMade, AgentOffer, Agents, AgentShown, AgentToRemove
from bot.policy.words import in_words
from formatters.blocks import (
    Message,
    actions,
    assemble,
    button,
    code,
    code_block,
    confirm,
    context,
    fit,
    literal,
    moment,
    section,
)
from formatters.forms import View, form
from formatters.words import count

MAKE = "Make the agent"
_ASKED = {"deploy": "deploys", "rerun": "reruns", "cancel": "cancels"}
_END = "`/ci agent remove &lt;name&gt;` ends one."
_LET_IN = "No agent can reach me: whoever runs me turns that on with `AGENTS=true`."


def offer(offered: AgentOffer) -> Message:
    """Say what an agent will be able to do, with the button of the window that makes it."""
    text = f"Nothing is made yet. Press, and a window makes the agent {code(offered.name)} and shows its token, once."
    window = AgentForm.model_validate(offered.model_dump(exclude={"in_vain"}))
    vain = section(f"⚠️ {_in_vain(offered.in_vain)}") if offered.in_vain else None
    return assemble(text, section(f"{text}\n{_will(window)}"), vain, actions(button(window, MAKE, style="primary")))


def form_of(action: AgentForm, value: str, action_id: str, _: object = None) -> View:
    """Return the window that makes it."""
    intro = f"*{action.name}*\n{_will(action)}\nWhoever has its token can do the same: keep it like a password."
    return form("A new agent", intro, [], value=value, action_id=action_id, submit=MAKE)


def _will(action: AgentForm) -> str:
    """Return what an agent will be able to do."""
    looks = "what the policy's roles let it by its name" if action.own else "what you may look at, and no more"
    end = f"• It is good for {count(action.days, 'day')}, or until {code(f'/ci agent remove {action.name}')}."
    return "\n".join([f"• It looks at {looks}.", _asks(action), end])


def _in_vain(words: Sequence[str]) -> str:
    """Say what of its words an agent would ask for in vain."""
    return f"As the rules are now, none lets it {in_words(words, 'or')} anything: what it asks of that is refused."


def _asks(action: AgentForm) -> str:
    acts = [_ASKED[word] for word in action.words if word in _ASKED]
    if not acts:
        return "• It asks for nothing that acts."
    most = "as far as its roles allow it" if action.own else "of what you may"
    stands = f"its requests stand {_where(action.channel_id)}"
    return f"• It asks for {in_words(acts)} {most}: {stands}, and a person presses, unless a rule lets it act alone."


def made(done: AgentMade) -> Message:
    """Show the token, which is shown nowhere else, and how the usual clients are given it."""
    name, token, address = done.agent.name, done.token.get_secret_value(), done.address
    text = f"✅ The agent {code(name)} is made. Its token is shown in this window alone, and once: copy it now."
    ways = {
        "Claude Code, in a terminal": [
            f'claude mcp add --transport http ci {address} --header "Authorization: Bearer {token}"'
        ],
        "Codex, in a terminal that keeps the variable": [
            f"export CI_AGENT_TOKEN={token}",
            f"codex mcp add ci --url {address} --bearer-token-env-var CI_AGENT_TOKEN",
        ],
        "Cursor, in .cursor/mcp.json": _cursor(address, token),
        "VS Code, in .vscode/mcp.json; it asks for the token": _vs_code(address),
    }
    pasted = [section(f"*{client}*\n{code_block(lines)}") for client, lines in ways.items()]
    first = "Then ask it: what failed on acme/backend main?"
    until = f"It is good until {moment(done.agent.expires_at)}. `/ci agents` lists it."
    shown = section(f"{text}\n{code_block([token])}\nIt asks at {code(address)}.")
    return assemble(text, shown, *pasted, context(f"{first} {until}"))


def _cursor(address: str, token: str) -> Sequence[str]:
    server = {"url": address, "headers": {"Authorization": f"Bearer {token}"}}
    return json.dumps({"mcpServers": {"ci": server}}, indent=1).splitlines()


def _vs_code(address: str) -> Sequence[str]:
    asked = {"type": "promptString", "id": "ci", "description": "Token of the agent", "password": True}
    server = {"type": "http", "url": address, "headers": {"Authorization": "Bearer ${input:ci}"}}
    return json.dumps({"inputs": [asked], "servers": {"ci": server}}, indent=1).splitlines()


def listed_here(found: Agents) -> Message:
    """List agents: whose each is, where it is heard, what it may, until when, and when it last asked."""
    off = None if found.let_in else context(_LET_IN)
    if not found.agents:
        none = "There is no agent" if found.everybodys else "You have no agent"
        text = f"{none}. `/ci agent add laptop` makes one that asks in your name, and shows its token in a window."
        return assemble(text, section(text), off)
    many = count(len(found.agents) + found.more, "agent")
    text = f"There {'is' if many.startswith('1 ') else 'are'} {many}." if found.everybodys else f"You have {many}."
    lines = fit([_line(one) for one in found.agents], 2800, total=len(found.agents) + found.more)
    return assemble(text, section(f"*{text}*"), section(lines), context(_END), off)


def _line(one: AgentShown) -> str:
    owner = literal(one.owner_name or one.owner_id, 80)
    whose = f"on its own, made by {owner}" if one.own else f"for {owner}"
    used = f"last asked {moment(one.used_at)}" if one.used_at else "has not asked yet"
    until = f"⚠️ may nothing any more: {literal(one.barred, 200)}" if one.barred else f"until {moment(one.expires_at)}"
    words = ", ".join(one.words) + (f" (no rule lets it {in_words(one.in_vain, 'or')})" if one.in_vain else "")
    return f"• {code(one.name)} · {whose} · {_where(one.channel_id)} · {words} · {until} · {used}"


def to_remove(found: AgentToRemove) -> Message:
    """Offer to remove an agent, with a dialog."""
    agent = found.agent
    text = "This agent can be removed. Its token is good for nothing then, and nobody can press for what it asked for."
    owner = (agent.owner_name or agent.owner_id)[:80]
    whose = f", {'made by' if agent.own else 'which speaks for'} {owner}," if found.is_of_another else ""
    gone = f"The agent {agent.name}{whose} is removed. What uses its token is refused from then on."
    sure = confirm(f"Remove {agent.name}?", gone, "Remove it", "Keep it")
    remove = RemoveAgent(name=agent.name, made_at=agent.made_at)
    pressed = button(remove, f"Remove {agent.name}", style="danger", confirm=sure)
    return assemble(text, section(f"{text}\n{_line(agent)}"), actions(pressed))


def removed_by(name: str, by: str) -> Message:
    """Tell who an agent spoke for that somebody else removed it."""
    text = f"{literal(by, 80)} removed your agent {code(name)}: its token is good for nothing any more."
    return assemble(text, section(text))


def _where(channel_id: str) -> str:
    return "in our direct messages" if channel_id.startswith("D") else f"in <#{channel_id}>"
