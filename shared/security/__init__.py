"""Keys, signatures, sealing, access tokens and TLS."""
