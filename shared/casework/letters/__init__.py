"""Paper for desks that work on paper: letters, reply slips and records, each with a code that can be checked."""
