"""The eConsult: rules and state."""
