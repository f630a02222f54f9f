"""What a command tells about itself."""

from typing import Self

from pydantic import BaseModel, ConfigDict

# What examples are about, until somebody asks where a project of their own is known.
PROJECTS, BRANCHES = ("acme/frontend", "acme/backend", "acme/cli"), ("main", "release/v2.0")


class CommandHelp(BaseModel):
    """A command in words; `phrases` are whole command lines people might type.

    `also` are words people say for it: they are no command, but the command is offered. `takes` is the permission that
    it is of no use without, where that is not the command's own. `only_on_server` says that CircleCI Cloud has nothing
    of the kind any more. `meanings` explain words that stand behind it, which may be asked about by themselves.
    """

    model_config = ConfigDict(frozen=True)
    name: str
    group: str
    summary: str
    usage: str
    example: str
    phrases: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    takes: str = ""
    only_on_server: bool = False
    meanings: tuple[tuple[str, str], ...] = ()

    def about(self, project: str, branch: str = "") -> Self:
        """Return it with examples about a project, and a branch of it if one is known, as they are typed."""
        known = {**dict.fromkeys(PROJECTS, project), **(dict.fromkeys(BRANCHES, branch) if branch else {})}

        def filled(line: str) -> str:
            return " ".join(known.get(word, word) for word in line.split(" "))

        phrases = tuple(filled(phrase) for phrase in self.phrases)
        return self.model_copy(update={"example": filled(self.example), "phrases": phrases})
