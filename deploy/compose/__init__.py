"""Docker Compose: what provisions the broker, and what tries it all."""
