"""Live logs of Workers: sessions by REST, events by WebSocket, as `wrangler tail` reads them."""
