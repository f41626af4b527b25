"""What outside services tell us: verified, stored by event id, then delivered to the workflow."""
