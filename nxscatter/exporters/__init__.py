"""The exporters: one kind of output a module, each made from records alone."""
