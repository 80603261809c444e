"""``make run``: broker, databases, issuer and services as processes of one machine."""
