"""Prometheus metrics of the web processes, and the page that they are read from."""
