"""Docker Compose: the provisioner of the broker, and the test of the whole stack."""
