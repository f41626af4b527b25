"""Connecting a location's practice system: steps, samples, migration, validation cases."""
