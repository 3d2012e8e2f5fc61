"""``make clients``: real MCP clients from npm, run offline after ``kioku mcp install``.

No test of pytest: it needs what only a registry has, so that it may honestly not run. Each client
has a home of its own, was never logged in and reaches no network; what it says about the server is
read from its own output. Why so: docs/adr/0095-real-clients-show-the-server-connected.md.
"""
