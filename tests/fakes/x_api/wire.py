"""HTTP/1.1 around the service: headers, compression, and the faults that happen on the wire."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.fakes.x_api import control
from tests.fakes.x_api.faults import Fault
from tests.fakes.x_api.problems import GATEWAY_PAGE, Answer
from tests.fakes.x_api.service import Asked, Service

_DRIPS = 20
_PADDING = b" " * 65536


class Server(ThreadingHTTPServer):
    """Loopback only. ``close`` ends every connection, so that no thread outlives it."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 32

    def __init__(self, port: int, service: Service) -> None:
        self.service = service
        self.stopping = threading.Event()
        self.failures: list[BaseException] = []
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(("127.0.0.1", port), Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        with self._guard:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients come and go; anything else is a mistake in this fake and must be seen."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, ConnectionError | TimeoutError):
            self.failures.append(error)

    def close(self) -> None:
        self.stopping.set()
        self.shutdown()
        with self._guard:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):  # gone already
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def version_string(self) -> str:
        return "cloudflare envoy"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """The request log is at /_requests; the terminal stays quiet."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        sent = self.rfile.read(min(length, 1_000_000))
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        if path == "/" or path.startswith("/_"):
            self._send(
                control.answer(self.server.service, self.command, path, sent), None, api=False
            )
            return
        asked = Asked(
            number=0,
            method=self.command,
            path=path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            who="none",
            accept_encoding=self.headers.get("accept-encoding", ""),
            user_agent=self.headers.get("user-agent", ""),
        )
        service = self.server.service
        authorization = self.headers.get("authorization", "")
        answer, fault = service.answer(asked, parts.query, authorization)
        if answer is None:
            if fault and fault.kind == "hang":
                self.server.stopping.wait(fault.seconds)
            self.close_connection = True
            return
        self._send(answer, fault, api=True)

    def _send(self, answer: Answer, fault: Fault | None, *, api: bool) -> None:
        kind = fault.kind if fault else ""
        body = answer.body if isinstance(answer.body, bytes) else _json(answer.body)
        content_type = answer.content_type
        if kind == "wrong_type":
            content_type = "text/html; charset=utf-8"
        elif kind == "not_json":
            body = GATEWAY_PAGE.format(status=200, reason="OK").encode()
        elif kind == "json_array":
            body = b'["this", "is", "not", "an", "object"]'
        elif kind == "truncated_json":
            body = body[: len(body) // 2]
        headers = {"content-type": content_type, **(self._api_headers(answer) if api else {})}
        zipped = "gzip" in self.headers.get("accept-encoding", "").lower()
        if body and kind == "bad_gzip":
            body = gzip.compress(body)[:10] + b"this was never compressed" * 8
            headers["content-encoding"] = "gzip"
        elif body and api and zipped and kind not in ("plain", "oversize"):
            body = gzip.compress(body, mtime=0)
            headers["content-encoding"] = "gzip"
        padding = fault.size if fault and kind == "oversize" else 0
        self.send_response(answer.status)
        for name, value in {**headers, **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body) + padding))
        self.end_headers()
        if kind == "drop_body":
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        elif fault and kind == "slow":
            step = max(1, -(-len(body) // _DRIPS))
            for start in range(0, len(body), step):
                if self.server.stopping.wait(fault.seconds / _DRIPS):
                    break
                self.wfile.write(body[start : start + step])
        else:
            while padding > 0 and not self.server.stopping.is_set():
                padding -= self.wfile.write(_PADDING[:padding])
            self.wfile.write(body)

    def _api_headers(self, answer: Answer) -> dict[str, str]:
        if answer.from_gateway:
            return {"cache-control": "no-store"}
        number = len(self.server.service.requests)
        transaction = hashlib.sha256(str(number).encode()).hexdigest()[:16]
        return {
            "api-version": "2.168",
            "cache-control": "no-cache, no-store, max-age=0",
            "set-cookie": f"guest_id=v1%3A{transaction}; Path=/; Secure; SameSite=None",
            "x-access-level": "read",
            "x-response-time": "42",
            "x-transaction-id": transaction,
        }


def _json(body: Any) -> bytes:
    # separators and escapes as X sends them: compact, and not ASCII only
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
