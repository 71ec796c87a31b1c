"""The name of the process that holds a lease, for people who look for it."""

import os
import socket


def this_process() -> str:
    """Host and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"
