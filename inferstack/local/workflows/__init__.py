"""Workflows: Cloudflare's own engine beside the Worker that has the class, what is kept of each instance, and REST."""
