"""One file a topic; api/app.py puts them together."""
