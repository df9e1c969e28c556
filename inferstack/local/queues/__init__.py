"""Queues: queues, consumers, messages, and the broker that delivers them."""
