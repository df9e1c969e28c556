"""Workers AI offline: real small embeddings, a deterministic extractive model for text, images from prompt and seed."""
