"""A location's way back to manual work, and forward again."""
