"""The storage process: Cloudflare's own simulators in a workerd of their own, which outlives every deploy."""
