"""A wave: its days, its check-ins, what was learned."""
