"""Wrangler's projects turned into stack files, and stacks written as wrangler's projects."""
