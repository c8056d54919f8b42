"""The blocking transport, on the standard library's `http.client`. Safe to use from several threads."""

from __future__ import annotations

import contextlib
import http.client
import ssl
import threading
from collections.abc import Iterator

from ._http import CONNECT_TIMEOUT, MAX_RESPONSE_BYTES, ClosedByServer, Endpoint, Request, Response
from .errors import ServerUnavailable

#: Idle connections that are kept for the next request.
MAX_IDLE_CONNECTIONS = 8


class BlockingTransport:
    """Sends requests over kept connections. Sends a request twice under the same rule as `AsyncTransport`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._headers = endpoint.headers()
        self._tls = ssl.create_default_context() if endpoint.tls else None
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()
        self._closed = False

    def request(self, request: Request) -> Response:
        """The server's answer, whatever its status. `ServerUnavailable` if there is none."""
        with self._lock:
            kept = self._idle.pop() if self._idle and request.repeatable else None
        if kept is not None:
            with contextlib.suppress(ClosedByServer):
                return self._once(kept, request)
        return self._once(self._connect(), request)

    @contextlib.contextmanager
    def stream(self, request: Request) -> Iterator[tuple[int, dict[str, str], Iterator[bytes]]]:
        """Status, headers and the body line by line. Each line may take `request.timeout` seconds at most."""
        connection = self._connect()
        try:
            response = self._send(connection, request)
            headers = {name.lower(): value for name, value in response.getheaders()}
            yield response.status, headers, iter(response.readline, b"")
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._unavailable(error) from error
        finally:
            connection.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection
        if self._tls is not None:
            connection = http.client.HTTPSConnection(
                self._endpoint.host, self._endpoint.port, timeout=CONNECT_TIMEOUT, context=self._tls
            )
        else:
            connection = http.client.HTTPConnection(self._endpoint.host, self._endpoint.port, timeout=CONNECT_TIMEOUT)
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise self._unavailable(error) from error
        return connection

    def _send(self, connection: http.client.HTTPConnection, request: Request) -> http.client.HTTPResponse:
        headers = {**self._headers, **request.headers}
        if request.body is not None:
            headers.setdefault("Content-Type", "application/json")
        if connection.sock is not None:
            connection.sock.settimeout(request.timeout)
        # A server that refuses a long body answers before it has read it, and then hangs up: the answer counts.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request(request.method, self._endpoint.prefix + request.path, request.body, headers)
        return connection.getresponse()

    def _once(self, connection: http.client.HTTPConnection, request: Request) -> Response:
        complete = False
        try:
            response = self._send(connection, request)
            body = response.read(MAX_RESPONSE_BYTES + 1)
            if len(body) > MAX_RESPONSE_BYTES:
                raise ValueError(f"the answer is longer than {MAX_RESPONSE_BYTES} bytes")
            if response.length:
                raise http.client.IncompleteRead(b"", response.length)
            complete = not response.will_close
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Response(response.status, headers, body)
        except (ConnectionError, http.client.IncompleteRead) as error:
            raise ClosedByServer(f"{self._endpoint.authority}: {error}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._unavailable(error) from error
        finally:
            with self._lock:
                keep = complete and not self._closed and len(self._idle) < MAX_IDLE_CONNECTIONS
                if keep:
                    self._idle.append(connection)
            if not keep:
                connection.close()

    def _unavailable(self, error: Exception) -> ServerUnavailable:
        return ServerUnavailable(f"{self._endpoint.authority}: {error or type(error).__name__}")
