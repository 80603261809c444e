"""What an agency keeps of a person, and who may see it, share it and forget it."""
