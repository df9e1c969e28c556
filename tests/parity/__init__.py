"""What a Worker sees of its bindings, here and on miniflare as it ships."""
