"""Access to files by kind: HDF5, EDF, TIFF, masks."""
