"""Scenes: what people do one after the other, each written down under a name of its own."""

from collections.abc import Awaitable, Callable, Mapping

from tests.golden.stage import Stage

Scene = Callable[[Stage], Awaitable[None]]


async def played(stage: Stage, scenes: Mapping[str, Scene]) -> dict[str, str]:
    """Play them all; returns what was written down of each."""
    said = {}
    for name, scene in scenes.items():
        await stage.begins()
        await scene(stage)
        said[name] = stage.takes_down()
    return said
