"""R2: buckets, their settings, and objects on files."""
