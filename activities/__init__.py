"""Side effects, thin: one class per adapter, its dependencies injected."""
