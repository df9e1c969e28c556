"""`inferstack dev`: a stack on the local Cloudflare that follows its files."""
