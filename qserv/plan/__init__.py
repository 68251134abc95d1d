"""Plan: from a bound query to fragments and a merge. Pure; read `make.py` first."""
