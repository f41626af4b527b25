"""The visit, in tracks: attendance, no-show, obligations."""
