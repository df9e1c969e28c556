"""What a stack costs a month, from the catalogue's prices and the figures under `expect`."""
