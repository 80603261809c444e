"""The service around the rules: HTTP in front, handlers in the middle, reception of events at the back."""
