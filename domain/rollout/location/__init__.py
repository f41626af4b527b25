"""A location: what it must have, its go-live, its monitors."""
