"""One number for each version of what is no Python package; a leaf, for each plugin process reads it as it starts."""

PULUMI = "3.259.0"  # the newest whose Go modules build without private ones; tools/pulumi/go.mod says the same
# Exit codes that pipelines rely on came with 3.227; refresh --preview-only without a lock with 3.229.
OLDEST_PULUMI = (3, 229, 0)
# The plugin of the pulumi-cloudflare that pyproject.toml pins; asking the installed package costs 5 ms at each run.
CLOUDFLARE_PROVIDER = "6.23.1"
