"""The HTTP face of the processes: routes, authentication, problem+json errors."""
