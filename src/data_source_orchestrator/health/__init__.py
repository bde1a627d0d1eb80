"""What happened, folded: the health, the metrics and the freshness of sources.

Pure functions from values to values: no clock, no I/O, no await; it knows nothing of who asks a source, or how.
"""
