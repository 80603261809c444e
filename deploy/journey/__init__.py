"""One journey from detection to reintegration, played through the HTTP API."""
