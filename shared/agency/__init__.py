"""An agency's service: the slices that it is made of."""
