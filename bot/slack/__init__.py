"""How Slack reaches the bot: listeners record and ack, the dispatcher carries out and answers."""
