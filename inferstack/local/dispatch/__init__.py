"""Workers for Platforms: dispatch namespaces, and the Workers uploaded into them."""
