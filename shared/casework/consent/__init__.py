"""Consent: recorded, replaced, withdrawn, expired."""
