"""Vectorize: vector indexes with metadata filters."""
