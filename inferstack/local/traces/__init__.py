"""What each invocation of a Worker did: spans and logs as Workers Observability keeps them, and its query API."""
