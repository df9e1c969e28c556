"""The stand-in for the official Cloudflare provider on machines that can't have its plugin; loopback only."""
