"""Contracts of the ports, run against every server at hand."""
