"""What acts on stacks that run: what is live and since when, ways back, promotion, data, secrets, environments for a while."""
