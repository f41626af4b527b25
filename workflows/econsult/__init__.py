"""The eConsult: `workflow.py` tells the story, the other files hold its tracks."""
