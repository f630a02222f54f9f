"""CircleCI's APIs as verbs that return our models."""
