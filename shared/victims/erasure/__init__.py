"""Erasure at every holder, legal holds, and the end of the time for which data is kept."""
