"""Properties are searched for, not timed: a busy machine is no failure."""

from hypothesis import settings

settings.register_profile("domain", deadline=None, max_examples=40)
settings.load_profile("domain")
