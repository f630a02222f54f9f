"""What an act may do, once, under which rules and locks, and what the record says of it: stories through Slack."""
