"""The end that a channel has heard of last, of a branch or a tag."""

from bot.models.fields import Model


class Heard(Model):
    """That of an attempt, by its `fingerprint`, of the pipeline `number`: it `is_red`, or repaired what was."""

    number: int
    fingerprint: str
    is_red: bool
