"""Closes the loop: plan, ask, fold, merge, keep. The verbs of the library live here; faces act only through them."""
