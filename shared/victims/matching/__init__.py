"""The same person at two agencies: what is told to find it, and what people decide."""
