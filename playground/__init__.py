"""A pretend Slack and a pretend CircleCI over real HTTP, and the bot between them."""
