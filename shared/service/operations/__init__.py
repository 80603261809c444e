"""The HTTP routes of an agency. A route turns a request into a command and a row into a view, and does nothing else."""
