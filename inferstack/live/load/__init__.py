"""`load-test`: many requests to one Worker of a stack, in bounds, and what came of them."""
