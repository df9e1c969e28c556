"""For coding agents: the tool's own commands as an MCP server."""
