"""D1: SQL databases, one SQLite file each, behind the REST API and the binding."""
