"""A citizen's read-only CalDAV account: one file per RFC, XML in, XML out. Knows no web framework and no table.

Refuses every write, so that no program can make a calendar say something that the care side has not said.
"""
