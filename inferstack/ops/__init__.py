"""What acts on whole stacks: the toolchain and environment of Pulumi runs, up and down, asking, the language host."""
