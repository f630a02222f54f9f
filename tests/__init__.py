"""Tests of ci-chatops."""
