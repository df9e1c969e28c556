"""What helps to write stacks: projects, parts, checks, types, rendered code, documentation, upgrades."""
