"""Champions, certification, modules, new hires, adoption."""
