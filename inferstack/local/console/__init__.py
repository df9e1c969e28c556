"""Pages to look at what the local Cloudflare holds and does; all that they show, the API tells too."""
