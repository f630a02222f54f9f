"""What operators watch, at `/metrics`: counted here and nowhere else. Labels are few and known, never foreign text."""

from prometheus_client import Counter, Gauge, Histogram

DEPLOYS = Counter(
    "ci_deploys", "Deploys by how far they came: asked, started, refused, answer_lost, found, not_found", ["outcome"]
)
UNSURE = Counter(
    "ci_posts_unsure",
    "Posts left open by a dead process or a broken connection, by what Slack showed: arrived, missing, unreadable",
    ["found"],
)
WATCHES = Gauge("ci_pipelines_watched", "Pipelines that are polled, as of the last minute")
POLL_LATENESS = Histogram(
    "ci_poll_lateness_seconds", "How long after its time a look began", buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
)
RESULT_LAG = Histogram(
    "ci_result_lag_seconds",
    "From a build's end at CircleCI to the root message that shows it",
    buckets=(0.5, 1, 2.5, 5, 10, 15, 30, 60, 120, 300),
)
CIRCLECI_REQUESTS = Counter("ci_circleci_requests", "Requests to CircleCI by the status they met", ["status"])
CIRCLECI_BUDGET = Gauge(
    "ci_circleci_requests_per_second_allowed", "What is asked of CircleCI in a second at most, as learned from its 429s"
)
SLACK_LIMITED = Counter("ci_slack_rate_limited", "429s from Slack, by method", ["method"])
DUPLICATES = Counter("ci_deliveries_dropped", "Slack's redeliveries that were dropped")
ERRORS = Counter("ci_errors", "Answers that were an error, by its kind", ["kind"])
WEBHOOKS = Counter("ci_webhooks_received", "CircleCI's webhooks, by what became of them", ["outcome"])
NEWS = Counter(
    "ci_news",
    "Builds of branches with subscribers, by what became of them: judged, unwanted, old, no_news, given_up, skipped",
    ["outcome"],
)
CONNECTIONS_DROPPED = Counter(
    "ci_connections_dropped",
    "Connections closed on strangers: late (no whole request), room (for others), full",
    ["why"],
)
LOOP_LAG = Histogram(
    "ci_loop_lag_seconds",
    "How late the process came to what was due; Slack waits three seconds",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 3, 10),
)
