"""The data plane: Workers in real workerd, whose binding modules speak HTTP to this process."""
