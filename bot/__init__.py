"""The engine of ci-chatops: Slack in, CircleCI followed, Slack told."""
