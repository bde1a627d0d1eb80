"""One call, made safe: time limits, retries, a retry budget, a circuit breaker, and failures as values.

It knows one source at a time. It must not know who else is asked, what health means, where anything is stored, or
any HTTP library.
"""
