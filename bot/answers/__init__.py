"""What can be answered, as models: a face shows them, an agent reads them.

An act answers with `Acted`, a look with the noun that was found, a command that cannot act yet with what can be chosen.
What a person reads of each is one function of `formatters/`, bound in `formatters/show.py`.
"""

from pydantic import ConfigDict

from bot.models.fields import Model


class Answer(Model):
    """What a handler returns: for who asked alone, where its kind does not say otherwise."""

    @property
    def is_for_all(self) -> bool:
        """Say whether everybody may see it in whose channel it is asked by name, as they see the messages of a deploy.

        Who asks may look at it, and where they ask is known: nobody else is asked.
        """
        return False


class Found(Answer):
    """What was looked up, and can be looked up again: it changes nothing, and nobody has to press anything in it."""

    @property
    def is_for_all(self) -> bool:
        """Let everybody see it."""
        return True


class Changed(Answer):
    """Something changed for others, though it takes no more right than to look: who only asks is not acted for."""


class Nothing(Answer):
    """There is nothing to say: whoever opened our direct messages knows us."""


class File(Answer):
    """A file for the thread it was asked for in; as JSON in URL-safe base64, for not every file is text."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
    name: str
    content: bytes
