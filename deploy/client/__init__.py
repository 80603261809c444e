"""A client of an agency's service: how an agency system calls, and where its tokens come from."""
