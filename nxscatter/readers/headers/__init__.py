"""What headers say: keywords, units, lengths, titles, scalers, geometry, named files."""
