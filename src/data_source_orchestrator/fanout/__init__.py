"""Many calls, one answer: who is registered, who is asked, and how the asking runs.

It knows the engine and the health of sources, but no store and no face.
"""
