"""Slack as a bot meets it: a workspace, its people, the Web API, Socket Mode and deliveries."""
