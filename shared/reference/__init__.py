"""Dated reference data, read from files once at start: regions, units, clocks, notices, the directory of services.

``office`` is an agency at work with these data: its own facts, and the events that it drafts and publishes.
``acting`` is the caller of a command, at a desk of the agency. The rules about the data are in ``shared.domain``.
"""
