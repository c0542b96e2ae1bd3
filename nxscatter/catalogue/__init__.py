"""Records for facility catalogues: SciCat, RO-Crate, ICAT."""
