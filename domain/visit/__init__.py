"""The visit: who should be there, is; what should be written within hours, is (spec/care.md, process V)."""
