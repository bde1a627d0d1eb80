"""One call that fetches from many unreliable sources at once and returns one answer that can be trusted."""
