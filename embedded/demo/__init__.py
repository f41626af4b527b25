"""`make demo`: four eConsults through their lives, over the API, on simulated time."""

from embedded.demo.play import main

__all__ = ["main"]
