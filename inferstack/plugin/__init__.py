"""The gRPC side of Pulumi's plugins: servicer, property values, differences, what a resource type is, the language host."""
