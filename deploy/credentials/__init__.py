"""Secrets, keys and certificates: made, renewed, revoked."""
