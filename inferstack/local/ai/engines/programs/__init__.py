"""What runs in processes of their own, with packages that are none of inferstack's: nothing here imports inferstack, nor is
any of it imported by it. `serve` is the program, the others are what it loads."""
