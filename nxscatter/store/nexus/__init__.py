"""NeXus trees in HDF5: reading, writing, hashing, transactions."""
