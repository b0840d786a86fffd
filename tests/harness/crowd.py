"""Many clients of the live feed in one process of their own, which read whatever they are sent and look at none of it: what they
cost the agent is not mixed with what a client costs.

    crowd.py PORT CLIENTS

prints a line when all have their first snapshot, and at the end of its input how many bytes came in all.
"""

import selectors
import socket
import subprocess
import sys

HANDSHAKE = ("GET /v1/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
SIZE = 1 << 20


class Crowd:
    """Clients that listen until the `with` block ends; `bytes` is then what they were sent."""

    def __init__(self, port, clients):
        self.process = subprocess.Popen([sys.executable, __file__, str(port), str(clients)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "all listen\n":
            self.process.kill()
            raise AssertionError("not all clients of the live feed were let in")
        self.bytes = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        out, _ = self.process.communicate("", timeout=60)
        self.bytes = int(out)


def connect(port):
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(HANDSHAKE.format(port=port).encode())
    return client


def main(port, clients):
    selector = selectors.DefaultSelector()
    buffer = bytearray(SIZE)
    for _ in range(clients):
        selector.register(connect(port), selectors.EVENT_READ)
    selector.register(sys.stdin, selectors.EVENT_READ)
    silent, received = clients, 0
    heard = set()
    while True:
        for key, _ in selector.select():
            if key.fileobj is sys.stdin:
                print(received)
                return
            count = key.fileobj.recv_into(buffer)
            if count == 0:
                sys.exit("the agent closed a client's connection")
            received += count
            if key.fd not in heard and b"\r\n\r\n" in memoryview(buffer)[:count].tobytes():
                heard.add(key.fd)
                silent -= 1
                if silent == 0:
                    print("all listen", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
