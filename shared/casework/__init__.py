"""What the desks of an agency do."""
