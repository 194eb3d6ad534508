"""A small server that speaks the protocol of ClamAV's daemon (clamd(8)): PING and INSTREAM, and knows one virus."""

import contextlib
import socketserver
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

# The harmless file that every scanner knows (eicar.org), in two pieces, so that none takes this one for it.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
NAME = "Eicar-Test-Signature"


class _Daemon(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path: Path, most: int):
        self.most, self.seen = most, []
        super().__init__(str(path), _Talk)


class _Talk(socketserver.StreamRequestHandler):
    server: _Daemon

    def handle(self) -> None:
        command = b""
        while not command.endswith(b"\0"):
            command += self.rfile.read(1)
        if command == b"zPING\0":
            self.wfile.write(b"PONG\0")
        elif command == b"zINSTREAM\0":
            self._stream()
        else:
            self.wfile.write(b"UNKNOWN COMMAND\0")

    def _stream(self) -> None:
        data = b""
        while length := struct.unpack("!L", self.rfile.read(4))[0]:
            if len(data) + length > self.server.most:
                self.wfile.write(b"INSTREAM size limit exceeded. ERROR\0")
                return
            data += self.rfile.read(length)
        self.server.seen.append(data)
        self.wfile.write(f"stream: {NAME} FOUND\0".encode() if EICAR in data else b"stream: OK\0")


@contextlib.contextmanager
def running(path: Path, *, most: int = 100 << 20) -> Iterator[_Daemon]:
    """One that listens at this socket; ``seen``: the files it was sent; ``most``: its StreamMaxLength."""
    with _Daemon(path, most) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()
