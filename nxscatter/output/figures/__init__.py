"""Figures of records, drawn with matplotlib."""
