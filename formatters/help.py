"""What can be said, in words; made from the commands' own registration."""

from bot.actions import RunCommand
from bot.answers.ourselves import CommandPage, Greeting, Overview
from bot.models.help import CommandHelp
from formatters.blocks import Message, actions, assemble, button, context, escape, section


def hello(_: Greeting) -> Message:
    """Return the greeting: what I do, what to try first."""
    who = "I start CircleCI pipelines, follow them in a thread, and say at the end what failed and what to press."
    first = (
        "*Try first*, which starts nothing: `/ci status acme/frontend main`\n"
        "*Then*, in a channel that has me (`/invite @ci`): `/ci deploy acme/frontend main`\n"
        "In a thread say `@ci deploy acme/frontend main`, and everything stays there."
    )
    seen = "Everybody in the channel sees a deploy. Help, questions and mistakes only you see."
    more = actions(
        button(RunCommand(text="help"), "All commands", style="primary"),
        button(RunCommand(text="help deploy"), "How to deploy"),
    )
    return assemble(f"Hello. {who}", section(f"Hello. {who}"), section(first), context(seen), more)


def overview(found: Overview, command: str = "/ci") -> Message:
    """Return every command with one example, by what one wants to do; `command` is how I was spoken to."""
    groups: dict[str, list[CommandHelp]] = {}
    for one in found.commands:
        groups.setdefault(one.group, []).append(one)
    blocks = [
        section(f"*{escape(group)}*\n" + "\n".join(_line(one, command) for one in of)) for group, of in groups.items()
    ]
    footer = "In a thread or a channel I also listen to @ci. Cancel, rerun and approve are buttons on my messages."
    return assemble("I deploy and follow CircleCI pipelines. Here is what you can say.", *blocks, context(footer))


def _line(one: CommandHelp, command: str) -> str:
    return f"`{escape(f'{command} {one.example}')}` · {escape(one.summary)}"


def page(found: CommandPage, command: str = "/ci") -> Message:
    """Return one command's usage, with examples; `command` is how I was spoken to."""
    help = found.command  # noqa: A001  # it is what it is
    examples = [f"`{escape(f'{command} {phrase}')}`" for phrase in (help.example, *help.phrases)]
    return assemble(
        f"{help.name}: {help.summary}",
        section(f"*{help.name}* · {escape(help.summary)}"),
        section(f"`{escape(f'{command} {help.usage}')}`"),
        section("For example:\n" + "\n".join(dict.fromkeys(examples))),
    )
