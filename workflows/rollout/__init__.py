"""The processes of a rollout: the programme, its waves, its locations, their rollbacks."""
