"""Whole histories in no time: the shipped engine plays against modelled upstreams on a clock that jumps.

`worlds` of faults, cancellations and changed settings are held against `laws`; a described `outage` is played against
a configuration. It drives the house from above by its public verbs, and no other room but `cli` knows it.
"""
