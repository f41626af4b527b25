"""The programme: what is done before anything goes live, its approvals, its waves, its holds."""
