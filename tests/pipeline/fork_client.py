"""Has the fork server run a command here, and exits as the command does."""

import json
import os
import socket
import sys

address, *command = sys.argv[1:]
request = {"folder": os.getcwd(), "environment": dict(os.environ), "command": command}  # noqa: PTH109
with socket.socket(socket.AF_UNIX) as server:
    server.connect(address)
    socket.send_fds(server, [b" "], [0, 1, 2])
    server.sendall(json.dumps(request).encode())
    server.shutdown(socket.SHUT_WR)
    ended = server.recv(8)
sys.exit(int(ended or b"1"))
