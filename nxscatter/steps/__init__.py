"""The steps: one science topic a module. They import neither h5py nor matplotlib."""
