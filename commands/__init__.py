"""What a user can say: one module per command, and this list of them."""

from bot.routing import Router
from commands import (
    approve,
    artifacts,
    cancel,
    deploy,
    doctor,
    evidence,
    hello,
    help,  # noqa: A004  # it is the command's name
    job,
    lists,
    rerun,
    status,
    tests,
    watch,
)


def register(router: Router) -> Router:
    """Teach the router every command and button; the order is that of the help."""
    for module in (
        deploy,
        rerun,
        cancel,
        approve,
        watch,
        status,
        tests,
        job,
        artifacts,
        lists,
        evidence,
        hello,
        help,
        doctor,
    ):
        module.register(router)
    return router
