"""AI Gateway: gateways, dynamic routes with versions, provider keys, cache, logs, and the data plane."""
