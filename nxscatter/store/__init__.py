"""The container file: records, their chain and lineage, safe writing, checks."""
