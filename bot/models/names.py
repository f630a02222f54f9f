"""The ids of CircleCI's nouns, and what their statuses mean."""

from typing import NewType

ProjectSlug = NewType("ProjectSlug", str)
PipelineId = NewType("PipelineId", str)
WorkflowId = NewType("WorkflowId", str)
JobId = NewType("JobId", str)


# https://circleci.com/docs/workflows/#workflow-states
TERMINAL_WORKFLOW_STATUSES = frozenset({"success", "failed", "error", "canceled", "unauthorized", "not_run"})
ACTIVE_WORKFLOW_STATUSES = frozenset({"running", "failing", "on_hold", "queued"})
RED_WORKFLOW_STATUSES = frozenset({"failed", "failing", "error", "unauthorized"})

TERMINAL_JOB_STATUSES = frozenset(
    {
        *("success", "failed", "canceled", "not_run", "retried", "infrastructure_fail", "timedout"),
        *("terminated-unknown", "unauthorized"),
    }
)
FAILED_JOB_STATUSES = frozenset({"failed", "infrastructure_fail", "timedout", "terminated-unknown", "unauthorized"})
RUNNING_JOB_STATUSES = frozenset({"running", "queued", "not_running"})
PASSED_TEST_RESULTS = frozenset({"success", "skipped"})


def items(value: object) -> object:
    """Return a list that CircleCI may leave out."""
    return () if value is None else value
