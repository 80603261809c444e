"""Secrets, keys and certificates of a deployment: make, renew, revoke and check them."""
