"""The one-command stack: servers that start with Carewave, on loopback, and end with it."""
