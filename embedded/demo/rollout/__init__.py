"""The life of a rollout that the demo plays: thirty locations, from the first day to the return on the investment."""
