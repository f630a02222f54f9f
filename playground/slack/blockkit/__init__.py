"""Block Kit's limits, held against what the bot sends."""
