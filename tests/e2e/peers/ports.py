"""Ports that a server can leave and take again."""

import random
import socket


def free_port():
    """One outside of what the system gives to outgoing connections, so that it stays free while nobody listens."""
    for _ in range(200):
        port = random.randrange(15000, 30000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise OSError("no free port was found between 15000 and 30000")
