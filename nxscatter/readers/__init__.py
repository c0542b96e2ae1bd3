"""Readers of raw files, one format a module, found through entry points."""
