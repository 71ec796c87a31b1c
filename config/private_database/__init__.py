"""Django's Postgres backend for the private server: the first connection starts it if need be."""
