"""The one place that says which far side answers for a project or an id."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

S = TypeVar("S")


@dataclass(frozen=True)
class Realm:
    """What belongs to a far side: the projects that `has_slug` knows, and the ids of ours that begin with `prefix`."""

    has_slug: Callable[[str], bool]
    prefix: str


class Choice(Generic[S]):
    """The usual side, and others for what belongs to their realm."""

    def __init__(self, usual: S, *others: tuple[Realm, S]) -> None:
        self.usual = usual
        self._others = others

    def of(self, slug: str) -> S:
        """Return who answers for a project."""
        return next((side for realm, side in self._others if realm.has_slug(slug)), self.usual)

    def of_id(self, identity: str) -> S:
        """Return who answers for a pipeline, a workflow or a project, by its id; or for an address that a side made."""
        return next((side for realm, side in self._others if identity.startswith(realm.prefix)), self.usual)
