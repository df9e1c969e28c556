"""Analytics Engine: points that Workers write, by dataset, and SQL over them."""
