"""A small OAuth 2.0 authorization server for development. Its tokens have the format of a ministry's own issuer.

``python -m deploy.issuer serve`` answers; ``tokens.mint`` makes a token without asking it. Why it is only for
development, and what stands in its place elsewhere: ``shared/decisions/0018-access-tokens.md``.
"""
