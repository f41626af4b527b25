"""Which locations go live in which wave, when, and why not otherwise."""
