"""The words of the house: values and protocols that every other room speaks in.

No I/O, no third-party module, no knowledge of any room above.
"""
