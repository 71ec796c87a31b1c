"""Django's Postgres backend for the private server: the first connection of a process starts it if need be."""
