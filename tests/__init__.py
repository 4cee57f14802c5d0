"""Tests, in tiers: unit → integration → pipeline → conventions (tests/conftest.py polices them)."""
