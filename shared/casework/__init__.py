"""The work of an agency's desks. Coordination imports nothing of this."""
