"""Many people at once: each registered and referred whole, or refused with a reason."""
