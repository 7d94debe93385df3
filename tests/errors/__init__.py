"""Errors: what the source may raise, what public names say to bad input, and in which words."""
