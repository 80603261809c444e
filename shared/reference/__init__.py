"""Dated reference data read from files once at start: regions, units, the directory of services. Holds no rule."""
