"""The facts over REST: one module for each group of resources."""
