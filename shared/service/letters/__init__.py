"""Paper for desks that still work on it: letters, reply slips and records, each with a code that checks."""
