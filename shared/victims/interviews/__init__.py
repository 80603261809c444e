"""How often a victim has told their story, at any agency."""
