"""A small OAuth 2.0 authorization server for development: tokens of the format a ministry's own issuer gives.

``python -m deploy.issuer serve`` answers; ``tokens.mint`` makes a token without asking it. Why it is only for
development, and what stands in its place elsewhere: ``shared/decisions/0018-access-tokens.md``.
"""

ISSUER = "urn:estafet:issuer:development"
"""The ``iss`` of its tokens. No https address: nothing that looks for a real issuer can take it for one."""
