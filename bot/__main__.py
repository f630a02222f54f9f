"""`python -m bot [web | worker]`: settings in, App out, run until told to stop, drain, stop."""

import asyncio
import signal
import sys

from bot.errors import BotError
from bot.logs import configure
from bot.settings import BadSettings, load

USAGE = "usage: python -m bot [web | worker]"


def main(arguments: list[str]) -> int:
    """Run the bot; returns the exit code: 2 for what the operator must put right first."""
    role = arguments[0] if arguments else "all"
    if role not in ("all", "web", "worker") or len(arguments) > 1:
        print(USAGE, file=sys.stderr)
        return 2
    try:
        settings, projects = load()
        configure(settings.log_level)
        from bot.app import App, Role  # noqa: PLC0415  # a second of imports that bad settings need not wait for

        asyncio.run(_run(App(settings, projects, Role(role))))
    except BadSettings as error:
        for name, what, where in error.problems:
            print(f"{name}: {what}" + (f" ({where})" if where else ""), file=sys.stderr)
        return 2
    except (BotError, OSError) as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 2
    return 0


async def _run(app: object) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with app:  # type: ignore[attr-defined]  # App is imported late
        await stop.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
