"""Access tokens: who may do what over the API."""
