"""The estimates over REST: the cache, explanations, what-if questions and runs."""
