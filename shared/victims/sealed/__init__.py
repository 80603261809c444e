"""What is kept sealed of a victim, and the keys that open it."""
