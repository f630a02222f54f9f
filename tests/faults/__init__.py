"""What happens when CircleCI, Slack, Redis, the network or a process breaks."""
