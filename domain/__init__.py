"""Pure rules and state. Imports the standard library and pydantic, nothing else."""
