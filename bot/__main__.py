"""`python -m bot`: run the bot until told to stop; `manifest` and `doctor` help to set it up."""

import argparse
import asyncio
import gc
import json
import signal
import sys
from pathlib import Path

from bot import configuration
from bot.configuration import BadSettings
from bot.errors import BotError
from bot.logs import configure
from bot.version import VERSION


def main(arguments: list[str]) -> int:
    """Do what is asked; returns the exit code: 2 for what the operator must put right first."""
    chosen = _parser().parse_args(arguments)
    match chosen.what:
        case "manifest":
            return _manifest(chosen.http)
        case "doctor":
            return _doctor()
        case "policy":
            return _policy(chosen.file)
        case "commands":
            return _commands()
        case role:
            return _bot(role)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot", description=__doc__)
    parser.add_argument("--version", action="version", version=f"ci-chatops {VERSION}")
    what = parser.add_subparsers(dest="what", metavar="what")
    parser.set_defaults(what="all")
    what.add_parser("all", help="take in and do the work, in one process (the default)")
    what.add_parser("web", help="take in what Slack and CircleCI send; needs REDIS_URL")
    what.add_parser("worker", help="do the work; needs REDIS_URL")
    what.add_parser("doctor", help="check tokens, scopes, channels, Redis and clock, and say what to put right")
    policy = what.add_parser("policy", help="`policy check FILE` tests a policy file before it is used")
    policy.add_argument("check", choices=["check"])
    policy.add_argument("file", type=Path)
    listed = what.add_parser("commands", help="`commands --json` prints what can be asked, with the schemas of it")
    listed.add_argument("--json", action="store_true", required=True)
    manifest = what.add_parser("manifest", help="print the manifest for api.slack.com/apps")
    manifest.add_argument("--http", metavar="URL", help="for HTTP mode, behind this public https address")
    return parser


def _bot(role: str) -> int:
    try:
        settings, projects = configuration.load()
        configuration.empty_environment()
        configure(settings.log_level)
        gc.disable()  # nothing of what is imported is garbage, and looking for it takes a sixth of the time
        from bot.app import App, Role  # noqa: PLC0415  # a second of imports that bad settings need not wait for

        gc.freeze()
        gc.enable()
        asyncio.run(_run(App(settings, projects, Role(role))))
    except BadSettings as error:
        from formatters import checkup  # noqa: PLC0415  # as above

        print(checkup.bad_settings(error.problems), file=sys.stderr)
        return 2
    except (BotError, OSError) as error:
        from formatters import far_sides  # noqa: PLC0415  # as above

        print(f"cannot start: {far_sides.why_not_started(error, settings)}", file=sys.stderr)
        return 2
    return 0


def _manifest(address: str | None) -> int:
    from bot import manifest  # noqa: PLC0415  # needed by nobody else

    try:
        print(manifest.for_http(address) if address else manifest.text(), end="")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _policy(file: Path) -> int:
    from formatters.policy import checked  # noqa: PLC0415  # needed by nobody else

    try:
        policy = configuration.load_policy(file)
    except BadSettings as error:
        print("\n".join(wrong for _, wrong in error.problems), file=sys.stderr)
        return 2
    print(f"{file} {checked(policy)}")
    return 0


def _commands() -> int:
    import commands  # noqa: PLC0415  # as below
    from bot.routing import Router  # noqa: PLC0415  # needed by nobody else

    described = [command.described() for command in commands.register(Router()).commands.values()]
    print(json.dumps(described, indent=2, ensure_ascii=False))
    return 0


def _doctor() -> int:
    from bot.doctor import examine_alone  # noqa: PLC0415  # needed by nobody else
    from formatters import checkup  # noqa: PLC0415  # as above

    settings, projects, problems = configuration.examine()
    configure("CRITICAL")  # what is wrong is in the findings
    findings = asyncio.run(examine_alone(settings, projects, problems))
    print(checkup.terminal(findings))
    return 0 if checkup.is_healthy(findings) else 1


async def _run(app: object) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with app:  # type: ignore[attr-defined]  # App is imported late
        await stop.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
