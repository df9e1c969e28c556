"""inferstack: AI inference on Cloudflare as Pulumi stacks, and a local Cloudflare to run them on."""

__version__ = "0.1.0"
