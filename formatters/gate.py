"""What is asked before a deploy is sent: who must agree, what must be typed, which branch is red."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.actions import AgreeDeploy, DeclineDeploy, DeployAnyway, TypeTarget
from bot.models.attempt import Attempt
from bot.models.build import Build, Shipment
from bot.models.circleci import Pipeline
from formatters.blocks import (
    Block,
    Message,
    actions,
    assemble,
    button,
    clean,
    code,
    context,
    fit,
    literal,
    mention,
    moment,
    section,
)
from formatters.forms import field, form
from formatters.words import count, listed

MOST_COMMITS = 6


def target(attempt: Attempt) -> str:
    """Return what would be deployed, as people say it."""
    return f"{attempt.project_title} {attempt.ref}"


def request(attempt: Attempt, shipment: Shipment, expires_at: datetime) -> Message:
    """Ask the channel for a second person: what will ship, and the two buttons."""
    text = f"{_asker(attempt)} wants to deploy {clean(target(attempt))}: somebody else must agree."
    buttons = actions(
        button(AgreeDeploy(attempt_id=attempt.id), "Agree and deploy", style="primary"),
        button(DeclineDeploy(attempt_id=attempt.id), "Decline", style="danger"),
    )
    return assemble(
        text,
        section(f"🙋 *{_asker(attempt)} wants to deploy {literal(target(attempt))}.* Somebody else must agree."),
        section(_what_ships(shipment)),
        _parameters(attempt.parameters),
        buttons,
        context(f"Until {moment(expires_at)}. Nothing is started before that."),
    )


def _what_ships(shipment: Shipment) -> str:
    if not shipment.commits:
        same = (
            f" The newest commit CircleCI knows is that of the green #{shipment.green.number}."
            if shipment.green
            else ""
        )
        return f"What will ship: the head of it; CircleCI has built nothing newer.{same}"
    since = f"since the last green build, #{shipment.green.number}" if shipment.green else "of those it remembers"
    lines = [_commit(one) for one in shipment.commits[:MOST_COMMITS]]
    left = len(shipment.commits) - MOST_COMMITS
    more = [f"and {left} more"] if left > 0 else []
    return f"{count(len(shipment.commits), 'commit')} that CircleCI built {since}:\n" + fit([*lines, *more], 2400)


def _commit(pipeline: Pipeline) -> str:
    by = f" · {literal(pipeline.actor, 60)}" if pipeline.actor else ""
    return f"{code(pipeline.revision[:7] or '?')} {literal(pipeline.subject, 120)}{by} · #{pipeline.number}"


def _parameters(parameters: Mapping[str, object]) -> Block | None:
    given = ", ".join(f"{name}={value}" for name, value in parameters.items())
    return section(f"With {code(given, 300)}") if given else None


def agreed(attempt: Attempt, name: str) -> Message:
    """Say in the request's place that it goes on."""
    return _said(
        f"✅ {literal(name, 60)} agreed: {literal(target(attempt))} is on its way, as {_asker(attempt)} asked."
    )


def agreed_in_vain(attempt: Attempt, name: str, why: str) -> Message:
    """Say in the request's place that CircleCI did not take it."""
    return _said(f"❌ {literal(name, 60)} agreed to {literal(target(attempt))}, but nothing was started. {why}")


def declined(attempt: Attempt, name: str, reason: str) -> Message:
    """Say in the request's place who declined, and why."""
    return _said(f"🚫 {literal(name, 60)} declined {literal(target(attempt))}: {_sentence(reason)}")


def declined_to_asker(attempt: Attempt, name: str, reason: str) -> Message:
    """Tell the asker in the thread."""
    return _said(f"{mention(attempt.asker_id)} {literal(name, 60)} declined: {_sentence(reason)} Nothing was started.")


def expired(attempt: Attempt) -> Message:
    """Say in the request's place that nobody decided."""
    return _said(f"⌛ Nobody decided on {literal(target(attempt))} in time. Nothing was started.")


def expired_to_asker(attempt: Attempt) -> Message:
    """Tell the asker in the thread."""
    again = f"`/ci deploy {clean(attempt.project_slug)} {clean(str(attempt.ref))}` asks again."
    return _said(f"{mention(attempt.asker_id)} nobody agreed in time, so nothing was started. {again}")


def ask_in_a_channel(attempt: Attempt) -> Message:
    """Say that nobody else reads direct messages."""
    return _said(f"Somebody else must agree to {literal(target(attempt))}. Ask for it in a channel, where they can.")


def not_your_own() -> Message:
    """Say that it takes somebody else."""
    return _said("You asked for it, so somebody else must agree.")


def decided_already(name_id: str) -> Message:
    """Say who was first."""
    return _said(
        f"{mention(name_id)} was first. The message has what became of it." if name_id else "It is too late for that."
    )


def red(attempt: Attempt, build: Build) -> Message:
    """Say that the branch is red, and which jobs failed."""
    jobs = [job.name for run in build.real_runs for job in run.failed_jobs]
    names = f": {listed(jobs, 5)}" if jobs else ""
    text = (
        f"The newest build of {literal(target(attempt))}, #{build.pipeline.number}, is red{names}. "
        "The policy lets nothing be deployed over that, unless somebody who may approve says so."
    )
    return assemble(
        text,
        section(f"❌ {text}"),
        actions(button(DeployAnyway(attempt_id=attempt.id), "Deploy all the same", style="danger")),
    )


def to_be_typed(attempt: Attempt) -> Message:
    """Ask for the target to be typed."""
    text = f"To deploy {literal(target(attempt))}, type its branch or tag once more."
    return assemble(
        text, section(f"⌨️ {text}"), actions(button(TypeTarget(attempt_id=attempt.id), "Type it", style="primary"))
    )


def type_form(action: TypeTarget, value: str, action_id: str) -> dict[str, Any]:  # noqa: ARG001  # as all forms
    """Return the window to type the target into."""
    intro = "Type the branch or the tag that you are about to deploy, exactly as it is spelled."
    return form("Deploy", intro, [field("typed", "Branch or tag")], value=value, action_id=action_id, submit="Deploy")


def decline_form(action: DeclineDeploy, value: str, action_id: str) -> dict[str, Any]:  # noqa: ARG001  # as above
    """Return the window that asks for the reason."""
    fields = [field("reason", "Why not?", hint="Who asked reads it in the thread.", multiline=True)]
    return form("Decline", "Nothing is started then.", fields, value=value, action_id=action_id, submit="Decline")


def typed_wrong(attempt: Attempt) -> Message:
    """Say that it was another."""
    return _said(f"That is not {code(attempt.ref.name)}. Nothing was started: press *Type it* again.")


def typed_right() -> Message:
    """Say that it goes on."""
    return _said("It goes on; the channel has the news.")


def declined_by_you() -> Message:
    """Say that it ends there."""
    return _said("Declined. Who asked has been told why.")


def _sentence(text: str) -> str:
    return literal(text, 500).rstrip(". ") + "."


def _asker(attempt: Attempt) -> str:
    return literal(attempt.asker_name or attempt.asker_id, 60)


def _said(text: str) -> Message:
    return assemble(text, section(text))
