"""The browser's view of both pretend services."""
