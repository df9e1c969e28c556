"""AI Search: documents of a bucket, or uploaded ones, searched and answered from.

Shapes: the API's OpenAPI description and `@cloudflare/workers-types` (2026-11-27); codes: facts `errors.json`.
"""
