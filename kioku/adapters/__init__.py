"""A memory as agent frameworks want it: one module a framework, which alone imports it.

Each needs its extra (``pip install 'kioku-log[langgraph]'``); nothing else of kioku imports any of
them. docs/python.md shows how the next one is written.
"""
