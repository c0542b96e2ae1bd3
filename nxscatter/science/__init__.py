"""The formulas: numpy alone, no files, no pictures."""
