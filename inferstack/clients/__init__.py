"""Clients of a stack's Workers: typed ones in Python and TypeScript, and lines of curl."""
