"""Registering kioku's server with the programs that start MCP servers, and taking it back.

The rule this package guards: another program's config belongs to its user. It is read whole
before anything is decided; what is decided is a value (``plan.Plan``) that a dry run shows and one
executor carries out; a file is changed in the place of our entry and nowhere else, after a copy
was kept; and whatever cannot be understood is left alone (docs/adr/0088, docs/adr/0089).

    clients   the table: where each client keeps its servers, and what an entry looks like
    launcher  the command that is registered
    registry  what a client has now      planning   what is to be done, client by client
    json_text, toml_text, yaml_text      our entry put into a text and taken out again
    files     reading and replacing a file           carrying   the one executor of plans
"""
