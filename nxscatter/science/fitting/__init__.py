"""From profiles to order parameters: line models, least squares, peaks, S with its standard error."""
