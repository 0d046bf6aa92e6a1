"""Exhibits in Portuguese: each English phrase of the code and its translation."""

PORTUGUESE: dict[str, str] = {}
