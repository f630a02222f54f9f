"""What can be said, in words; made from the commands' own registration."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from bot.actions import RunCommand
from formatters.blocks import Message, actions, assemble, button, context, escape, section


class CommandHelp(BaseModel):
    """What a command tells about itself; `phrases` are whole command lines people might type.

    `also` are words people say for it: they are no command, but the command is offered.
    """

    model_config = ConfigDict(frozen=True)
    name: str
    group: str
    summary: str
    usage: str
    example: str
    phrases: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


def hello() -> Message:
    """Return the greeting: what I do, what to try first."""
    who = "I start CircleCI pipelines, follow them in a thread, and say at the end what failed and what to press."
    first = (
        "*Try first*, in a channel that has me (`/invite @ci`):\n"
        "`/ci deploy acme/frontend main`\n"
        "In a thread say `@ci deploy acme/frontend main`, and everything stays there."
    )
    seen = "Everybody in the channel sees a deploy. Help, questions and mistakes only you see."
    more = actions(
        button(RunCommand(text="help"), "All commands", style="primary"),
        button(RunCommand(text="help deploy"), "How to deploy"),
    )
    return assemble(f"Hello. {who}", section(f"Hello. {who}"), section(first), context(seen), more)


def overview(commands: Sequence[CommandHelp], *, command: str = "/ci") -> Message:
    """Return every command with one example, by what one wants to do."""
    groups: dict[str, list[CommandHelp]] = {}
    for one in commands:
        groups.setdefault(one.group, []).append(one)
    blocks = [
        section(f"*{escape(group)}*\n" + "\n".join(_line(one, command) for one in of)) for group, of in groups.items()
    ]
    footer = "In a thread or a channel I also listen to @ci. Cancel, rerun and approve are buttons on my messages."
    return assemble("I deploy and follow CircleCI pipelines. Here is what you can say.", *blocks, context(footer))


def _line(one: CommandHelp, command: str) -> str:
    return f"`{escape(f'{command} {one.example}')}` · {escape(one.summary)}"


def one(help: CommandHelp, *, command: str = "/ci") -> Message:  # noqa: A002  # it is what it is
    """Return one command's usage, with examples."""
    examples = [f"`{escape(f'{command} {phrase}')}`" for phrase in (help.example, *help.phrases)]
    return assemble(
        f"{help.name}: {help.summary}",
        section(f"*{help.name}* · {escape(help.summary)}"),
        section(f"`{escape(f'{command} {help.usage}')}`"),
        section("For example:\n" + "\n".join(dict.fromkeys(examples))),
    )
