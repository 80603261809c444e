"""Dated reference data, read from files once at start: regions, units, clocks, notices, the directory of services.

This package holds no rule.
"""
