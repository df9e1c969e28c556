"""Secrets Store: secrets of the account that Workers read while they run."""
