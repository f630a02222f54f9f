"""What earlier builds and logs tell about a failure: pure rules, explained in docs/triage.md."""
