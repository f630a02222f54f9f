"""What a user can say: one module per command, and this list of them."""

from bot.routing import Router
from commands import (
    again,
    agent,
    approve,
    artifacts,
    audit,
    cancel,
    deploy,
    doctor,
    env,
    evidence,
    flaky,
    gate,
    heard,
    hello,
    help,  # noqa: A004  # it is the command's name
    job,
    keys,
    legacy,
    lists,
    locks,
    mine,
    notify,
    red,
    rerun,
    snooze,
    status,
    subscribe,
    tests,
    told,
    triage,
    use,
    watch,
    webhook,
    why,
    why_red,
)


def register(router: Router) -> Router:
    """Teach the router every command and button; the order is that of the help."""
    for module in (
        *(deploy, heard, gate, rerun, again, cancel, approve, watch, subscribe, red, snooze, use, locks),
        *(status, mine, notify, told, triage, why_red, tests, flaky, job, artifacts, lists, evidence),
        *(env, keys, legacy, agent),
        *(hello, help, why, audit, doctor, webhook),
    ):
        module.register(router)
    return router
