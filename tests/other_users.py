"""Another user of the machine, as far as whoever runs the tests can play one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

ME = os.geteuid()
OTHER = 65534 if ME == 0 else ME  # only root can become somebody else


@contextmanager
def posing_as_another() -> Iterator[None]:
    """Own what is made, and listen where one listens, as somebody else; whoever is not root stays themselves."""
    os.seteuid(OTHER)
    try:
        yield
    finally:
        os.seteuid(ME)
