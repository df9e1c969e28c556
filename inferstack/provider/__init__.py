"""This project's own resource types, for what Cloudflare's official provider lacks; a file each."""
