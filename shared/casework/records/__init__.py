"""Forms of an agency's own work: filed, sealed, delivered and read."""
