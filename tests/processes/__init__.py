"""Tests with the bot as a process of its own."""
