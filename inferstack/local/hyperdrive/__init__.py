"""Hyperdrive: connections of Workers to databases of one's own."""
