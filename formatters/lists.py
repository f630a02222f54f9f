"""Lists that API v1.1 answers with: what ran lately, the followed projects, whom the token belongs to."""

from collections.abc import Sequence

from bot.models.circleci import Collaboration, User
from bot.models.classic import BuildSummary, FollowedProject
from formatters.blocks import Message, assemble, context, date, fit, link, literal, section
from formatters.links import Links
from formatters.words import count, duration, listed, status

MOST_BUILDS, MOST_PROJECTS, MOST_NAMED = 15, 40, 2
FAILED = frozenset({"failed", "timedout", "infrastructure_fail"})


def recent(builds: Sequence[BuildSummary], links: Links) -> Message:
    """Return what ran lately over all followed projects: a line for each workflow, the newest first."""
    if not builds:
        text = "Nothing ran lately in the projects that my user follows on CircleCI."
        return assemble(text, section(text))
    groups: dict[str, list[BuildSummary]] = {}
    for build in builds:
        groups.setdefault(build.workflows.workflow_id or f"{build.slug} {build.build_num}", []).append(build)
    lines = [_group_line(group, links) for group in list(groups.values())[:MOST_BUILDS]]
    note = f"From the newest {count(len(builds), 'job')}."
    return assemble("What ran lately.", section("*What ran lately*"), section(fit(lines, 2900)), context(note))


def _group_line(group: Sequence[BuildSummary], links: Links) -> str:
    """Return one workflow's jobs in a line: the failed ones by name, of the others how many there are."""
    failed = [build for build in group if build.status in FAILED]
    running = [build for build in group if build.lifecycle not in ("finished", "not_run", "")]
    shown = (failed or running or group)[:MOST_NAMED]
    first, starts = shown[0], [build.start_time for build in group if build.start_time]
    others = len(group) - len(shown)
    jobs = ", ".join(_job(build, links) for build in shown) + (f" and {count(others, 'other job')}" if others else "")
    took = duration(first.run_time) if len(group) == 1 and first.run_time else ""
    parts = [status(first.status), literal(first.title), literal(first.ref, 80), jobs]
    return " · ".join(part for part in (*parts, date(min(starts)) if starts else "", took) if part)


def _job(build: BuildSummary, links: Links) -> str:
    url = f"{links.web_url}/jobs/{build.slug}/{build.build_num}" if build.vcs_type else ""
    return link(url, f"{build.job_name} {build.build_num}")


def projects(found: Sequence[FollowedProject], wanted: str) -> Message:
    """Return the followed projects with their newest result, those that hold `wanted`."""
    chosen = sorted((one for one in found if wanted.lower() in one.title.lower()), key=lambda one: one.title)
    if not chosen:
        text = (
            f"None of the {count(len(found), 'project')} that my user follows on CircleCI holds {literal(wanted)}."
            if found
            else "My user follows no project on CircleCI: log in as that user, Projects, Follow."
        )
        return assemble(text, section(text))
    lines = [_project_line(one) for one in chosen[:MOST_PROJECTS]]
    if len(chosen) > MOST_PROJECTS:
        lines.append(f"and {len(chosen) - MOST_PROJECTS} more: projects &lt;part of a name&gt;")
    text = f"{count(len(chosen), 'followed project')}."
    return assemble(text, section(f"*{text}*"), section(fit(lines, 2900)))


def _project_line(one: FollowedProject) -> str:
    newest = one.newest
    result = f"{status(newest.status)} ({newest.build_num})" if newest else "never built"
    return f"• {literal(one.title)} · {literal(one.default_branch, 80)} · {result}"


def me(user: User, organizations: Sequence[Collaboration]) -> Message:
    """Return who the bot is on CircleCI and what it can see."""
    name = literal(user.login or user.name or "somebody without a name")
    sees = listed([one.name for one in organizations], 10) if organizations else "no organisation"
    text = f"On CircleCI I am {name}, and I see {sees}."
    note = (
        "What I start is started in this user's name. A personal token lives for a year at most; only CircleCI's own "
        "page says when it ends."
    )
    return assemble(text, section(text), context(note))
