"""Exhibits in Spanish: each English phrase of the code and its translation."""

SPANISH: dict[str, str] = {}
