"""The HTTP cache after RFC 9111: which answer is kept, how old it is, and when it may stand for a new one.

`loop` alone knows hishel, and is loaded with the first session. Nothing here sends a request by itself, and no work
goes on behind anybody's back.
"""
