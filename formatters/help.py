"""What can be said, in words; made from the commands' own registration."""

from collections.abc import Sequence

from bot.actions import RunCommand
from bot.answers.ourselves import CommandPage, Greeting, Overview
from bot.models.help import CommandHelp
from formatters.blocks import Block, Message, actions, assemble, button, code, context, escape, paragraphs, section
from formatters.policy import who_may


def hello(_: Greeting) -> Message:
    """Return the greeting: what I do, what to try first."""
    who = "I start CircleCI pipelines, follow them in a thread, and say at the end what failed and what to press."
    first = (
        "*Try first*, which starts nothing: `/ci status acme/frontend main`\n"
        "*Then*, in a channel that has me (`/invite @ci`): `/ci deploy acme/frontend main`\n"
        "In a thread say `@ci deploy acme/frontend main`, and everything stays there.\n"
        "`/ci subscribe acme/frontend` lets a channel hear when the default branch breaks or is fixed, whoever pushed."
    )
    seen = "Everybody in the channel sees a deploy. Help, questions and mistakes only you see."
    more = actions(
        button(RunCommand(text="help"), "What can I do here?", style="primary"),
        button(RunCommand(text="help deploy"), "How to deploy"),
    )
    return assemble(f"Hello. {who}", section(f"Hello. {who}"), section(first), context(seen), more)


def overview(found: Overview, command: str = "/ci") -> Message:
    """Return every command with one example, by what one wants to do; `command` is how I was spoken to."""
    groups: dict[str, list[CommandHelp]] = {}
    for one in found.commands:
        groups.setdefault(one.group, []).append(one)
    blocks = [block for group, of in groups.items() for block in _group(group, [_line(one, command) for one in of])]
    footer = f"`{escape(command)} help deploy`, or `deploy --help`, says more about one of them."
    cut = " What you may not use is left out." if found.is_cut else ""
    return assemble("Here is all that you can say.", *blocks, context(f"{footer}{cut}"))


def _group(name: str, lines: Sequence[str]) -> list[Block]:
    return paragraphs([f"*{escape(name)}*", *lines])[0]


def _line(one: CommandHelp, command: str) -> str:
    return f"{code(f'{command} {one.example}', 300)} · {escape(one.summary)}"


def page(found: CommandPage, command: str = "/ci") -> Message:
    """Return one command's usage, with examples, and who may; `command` is how I was spoken to."""
    help = found.command  # noqa: A001  # it is what it is
    examples = [code(f"{command} {phrase}", 300) for phrase in (help.example, *help.phrases)]
    dropped = "CircleCI Cloud has nothing of the kind any more: only a CircleCI Server may have it."
    return assemble(
        f"{help.name}: {help.summary}",
        section(f"*{help.name}* · {escape(help.summary)}"),
        section(f"`{escape(f'{command} {help.usage}')}`"),
        section("For example:\n" + "\n".join(dict.fromkeys(examples))),
        section("\n".join(f"{code(word)} {escape(text)}" for word, text in help.meanings)) if help.meanings else None,
        context(f"⚠️ {dropped}") if found.is_dropped else None,
        context(who_may(found.decision)) if found.decision else None,
    )
