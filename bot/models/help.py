"""What a command tells about itself."""

from pydantic import BaseModel, ConfigDict


class CommandHelp(BaseModel):
    """A command in words; `phrases` are whole command lines people might type.

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
