"""Pulumi providers: the project's own, for what Cloudflare's official one lacks, and the offline stand-in for that one."""
