"""A small OAuth 2.0 authorization server for development. Its tokens have the format of a ministry's own issuer.

``python -m deploy.issuer serve`` answers token requests; ``tokens.mint`` makes a token without a request. Why it is for
development only, and which issuer replaces it in production: ``shared/decisions/0018-who-calls.md``.
"""

ISSUER = "urn:estafet:issuer:development"
"""The ``iss`` of its tokens. It is a URN and no https address, so that no client mistakes it for a real issuer."""
