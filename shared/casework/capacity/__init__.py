"""How much room a desk has, and what it can do."""
