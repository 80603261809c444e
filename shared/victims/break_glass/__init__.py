"""A look without a right, in an emergency, which a second person reviews."""
