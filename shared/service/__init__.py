"""A member's service: its app, settings, vault, commands, production profile and operations."""
