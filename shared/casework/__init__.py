"""What the desks of an agency do. Coordination imports nothing of this."""
