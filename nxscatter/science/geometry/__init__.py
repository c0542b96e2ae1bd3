"""Where a pixel lies in q space, and where a crystal or a calibrant scatters."""
