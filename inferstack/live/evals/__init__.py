"""Evaluations: cases that a deployed Worker is asked, and what its answers must be."""
