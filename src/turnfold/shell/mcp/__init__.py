"""Tools of MCP servers: programs that are started, or addresses that are asked. The SDK is imported when there is a server."""
