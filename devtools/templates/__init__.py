"""Writes workflows/*.json: one file here a template or several of a kind, each a function of a Board on which it lays nodes.

`python3 dev.py python -m devtools.templates` writes them all; a test compares. The files are the page's own UI format: they
may be opened, changed and saved there as well, but what is to stay is said here, where values stand by name.
"""
