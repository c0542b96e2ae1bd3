"""Many containers become one table against field or time."""
