"""Lists that API v1.1 answers with: what ran lately, the followed projects, whom the token belongs to."""

from collections.abc import Sequence

from bot.answers.lists import FollowedProjects, ProjectResult, RecentBuilds
from bot.answers.people import TokenOwner
from bot.models.classic import BuildSummary
from formatters.blocks import Message, assemble, context, fit, link, literal, moment, paragraphs, section
from formatters.links import Links
from formatters.words import count, duration, listed, status

MOST_BUILDS, MOST_NAMED = 15, 2
FAILED = frozenset({"failed", "timedout", "infrastructure_fail"})


def recent(found: RecentBuilds, links: Links) -> Message:
    """Return what ran lately over all followed projects: a line for each workflow, the newest first."""
    if not found.builds:
        text = "Nothing ran lately in the projects that my user follows on CircleCI."
        return assemble(text, section(text))
    groups: dict[str, list[BuildSummary]] = {}
    for build in found.builds:
        groups.setdefault(build.workflows.workflow_id or f"{build.slug} {build.build_num}", []).append(build)
    lines = [_group_line(group, links) for group in list(groups.values())[:MOST_BUILDS]]
    shown, taken = paragraphs(lines)
    left_out = [context(f"and {count(len(groups) - taken, 'more workflow')}")] if len(groups) > taken else []
    how = "`/ci status &lt;project&gt; &lt;branch&gt;` shows one branch"
    note = f"From the newest {count(len(found.builds), 'job')}; {how}."
    return assemble("What ran lately.", section("*What ran lately*"), *shown, *left_out, context(note))


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
    return " · ".join(part for part in (*parts, moment(min(starts)) if starts else "", took) if part)


def _job(build: BuildSummary, links: Links) -> str:
    url = f"{links.web_url}/jobs/{build.slug}/{build.build_num}" if build.vcs_type else ""
    return link(url, f"{build.job_name} (job {build.build_num})")


def projects(found: FollowedProjects) -> Message:
    """Return the followed projects with their newest result, those that hold what was looked for."""
    chosen = found.projects
    if not chosen:
        text = (
            f"None of the {count(found.of, 'project')} that my user follows on CircleCI holds {literal(found.wanted)}."
            if found.of
            else "My user follows no project on CircleCI: log in as that user, Projects, Follow."
        )
        return assemble(text, section(text))
    lines = [_project_line(one) for one in sorted(chosen, key=lambda one: one.status not in FAILED)]
    text = f"{count(len(chosen), 'followed project')}."
    shown = fit(lines, 2900, "and {} more: `/ci projects &lt;part of a name&gt;`")
    note = "A job is not a build: `/ci status &lt;project&gt;` shows how its newest builds ended."
    return assemble(text, section(f"*{text}*"), section(shown), context(note))


def _project_line(one: ProjectResult) -> str:
    result = "never built" if one.number is None else f"newest job {status(one.status)} ({one.number})"
    return f"• {literal(one.project_title)} · {literal(one.default_branch, 80)} · {result}"


def me(owner: TokenOwner) -> Message:
    """Return who the bot is on CircleCI and what it can see."""
    user, organizations = owner.user, owner.organizations
    name = literal(user.login or user.name or "somebody without a name")
    sees = listed([one.name for one in organizations], 10) if organizations else "no organisation"
    text = f"On CircleCI I am {name}, and I see {sees}."
    note = (
        "What I start is started in this user's name. A personal token lives for a year at most; only CircleCI's own "
        "page says when it ends."
    )
    return assemble(text, section(text), context(note))
