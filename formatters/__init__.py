"""What a user reads: pure functions from models to messages."""
