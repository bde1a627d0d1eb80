"""What sources' documents are made of, and whether that has changed: pure functions from values to values.

It knows JSON and a document's own past, and nothing of sources, of what the values mean, or of stores.
"""
