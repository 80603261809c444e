"""The HTTP of an agency. A route turns a request into a command and a row into a read model, and nothing else."""
