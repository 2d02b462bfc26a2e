"""A TCP proxy that can be cut: a network that fails between us and a server that is well."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from jenkins_cd.tools.kubernetes import Cluster


@dataclass
class Proxy:
    """Passes bytes on as long as it is not cut."""

    target: tuple[str, int]
    listener: socket.socket
    pairs: list[tuple[socket.socket, socket.socket]] = field(default_factory=list)
    down: threading.Event = field(default_factory=threading.Event)

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def cut(self) -> None:
        """Break all connections, and those that come from now on."""
        self.down.set()
        for pair in self.pairs:
            for one in pair:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        self.pairs.clear()

    def mend(self) -> None:
        self.down.clear()

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                if self.down.is_set():
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    client.close()  # with a reset
                else:
                    self._join(client)

    def _join(self, client: socket.socket) -> None:
        server = socket.create_connection(self.target)
        self.pairs.append((client, server))
        for source, sink in ((client, server), (server, client)):
            threading.Thread(target=_pass, args=(source, sink), daemon=True).start()


@contextlib.contextmanager
def proxy_to(cluster: Cluster) -> Iterator[tuple[Proxy, Cluster]]:
    """Yield a proxy on a free port of 127.0.0.1, and the cluster behind it, which it expects by its own name."""
    place = urlsplit(cluster.server)
    host = place.hostname or ""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = Proxy((host, place.port or 443), listener)
        thread = threading.Thread(target=made.serve, daemon=True)
        thread.start()
        yield made, replace(cluster, server=f"https://127.0.0.1:{made.port}", tls_server_name=host)
        made.cut()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _pass(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for one in (source, sink):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
