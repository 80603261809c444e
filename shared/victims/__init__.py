"""An agency's data about a person: access, sharing and erasure. Coordination imports nothing of this."""
