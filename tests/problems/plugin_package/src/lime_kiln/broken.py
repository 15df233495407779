"""A module that cannot be imported, as after a half-finished installation."""

raise RuntimeError("the kiln has collapsed")
