"""Durable Objects of users' Workers: namespaces, migrations, and what workerd is told of both."""
