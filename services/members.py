"""Every member of the shipped network. Commands that start or describe all services read this list."""

SERVICES: dict[str, str] = {
    name: f"services.{name}.main" for name in ("police", "kemenpppa", "kemensos", "kemenkes", "coordination")
}
"""Member → the module of its service."""
