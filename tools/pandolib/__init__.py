"""The parts of the pando command. One noun a module; only Python's standard library."""
