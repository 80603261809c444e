"""What a service refuses to start on in production."""
