"""What an agency keeps of a person: who may see it, share it and forget it. Coordination imports nothing of this."""
