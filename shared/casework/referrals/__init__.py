"""Referrals: requested, answered, cancelled, and what was noted beside them."""
