"""Following a pipeline: what changed, when to look again, who is told."""
