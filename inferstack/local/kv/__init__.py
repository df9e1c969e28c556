"""Workers KV: namespaces and their key-value pairs."""
