"""Cloudflare's GraphQL Analytics API, with the figures of what really ran here."""
