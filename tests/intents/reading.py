"""What the tests of plain words share: a reader of all commands, and the projects that are known to it."""

from bot.intents.reading import Default, Reading, reader_of
from bot.models.circleci import ProjectSlug
from bot.routing import Router
from bot.settings import ProjectEntry, Projects
from commands import register

ROUTER = register(Router())
READER = reader_of(tuple(command.help for command in ROUTER.commands.values()))
PROJECTS = Projects(projects={"web": ProjectEntry(slug="gh/acme/frontend")})
FOLLOWED = [ProjectSlug(slug) for slug in ("gh/acme/frontend", "bb/acme/backend", "gh/acme/tests", "gh/other/cli")]
KNOWN = READER.known(PROJECTS, FOLLOWED)
THREAD = Default("acme/frontend", "release/v2.0", "#2417")


def read(text: str, default: Default | None = None) -> Reading:
    """Return what a sentence is read as."""
    return READER.read(text, PROJECTS, KNOWN, default)


def line(text: str, default: Default | None = None) -> str:
    """Return the line that a sentence surely means, and `?` before the one that it may mean."""
    reading = read(text, default)
    first = reading.meant[0] if reading.meant else None
    said = (first.line or f"{first.command} …") if first else "nothing"
    return said if reading.is_sure or first is None else f"? {said}"
