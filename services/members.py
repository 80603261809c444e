"""Every member of the shipped network, for the commands that start or describe all of them."""

MEMBERS: dict[str, str] = {
    name: f"services.{name}.main" for name in ("police", "kemenpppa", "kemensos", "kemenkes", "coordination")
}
"""Member → the module of its service."""
