"""Logs: what a line may hold, and who did what that may harm a person."""
