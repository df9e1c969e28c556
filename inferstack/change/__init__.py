"""What changes a stack: deploying, plans and their pictures, drift, adoption."""
