"""Static assets of Workers: upload sessions, files by their hash, and what Cloudflare's own asset Worker reads."""
