"""A Hugging Face hub on this machine: what huggingface_hub asks to make, fill, read and delete a
model's repository.

Storage is git LFS's (the library is told not to use Xet). A private repository answers 401 to who
has no key, as the hub does. What is not known is answered with 404 and remembered.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

KEY = "hf_" + "x" * 34
USER = "somebody"


@dataclass
class Repo:
    """A repository: its files now, and its commits, the newest last."""

    private: bool
    files: dict[str, bytes] = field(default_factory=dict)
    commits: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)

    @property
    def head(self) -> str:
        return self.commits[-1] if self.commits else "0" * 40

    def front_matter(self) -> dict[str, Any]:
        card = self.files.get("README.md", b"").decode("utf-8")
        found = re.match(r"---\n(.*?)\n---\n", card, re.DOTALL)
        return dict(yaml.safe_load(found[1])) if found else {}


class Hub:
    """What the fake has been sent, and its address."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.stored: dict[str, bytes] = {}
        self.sent: list[str] = []
        self.unknown: list[str] = []
        self.refuse_storage = False
        """Answers uploads of large files with 400; after a 500 the library would wait."""
        self.lock = threading.RLock()
        self.url = ""

    def answer(
        self, method: str, path: str, body: bytes, key: bool
    ) -> tuple[int, Any, dict[str, str]]:
        """Status, body (bytes, or what becomes JSON) and headers."""
        self.sent.append(f"{method} {path}")
        if path == "/api/whoami-v2":
            return (
                (200, {"name": USER, "type": "user", "orgs": [], "auth": {}}, {}) if key else NO_KEY
            )
        if path == "/api/agent-harnesses":  # for the library's user agent; it does without
            return 404, {}, {}
        if path == "/api/validate-yaml":
            return 200, {"warnings": [], "errors": []}, {}
        if path.startswith("/storage/") and method == "PUT":
            return self._store(path.rpartition("/")[2], body)
        if path == "/api/repos/create":
            return self._create(json.loads(body)) if key else NO_KEY
        if path == "/api/repos/delete":
            return self._delete(json.loads(body)) if key else NO_KEY
        for pattern, act in (
            (r"/api/models/([^/]+/[^/]+)/preupload/main", self._preupload),
            (r"/api/models/([^/]+/[^/]+)/commit/main", self._commit),
            (r"/api/models/([^/]+/[^/]+)/settings", self._settings),
            (r"/([^/]+/[^/]+?)\.git/info/lfs/objects/batch", self._batch),
        ):
            if found := re.fullmatch(pattern, path):
                repo = self.repos.get(found[1])
                return (act(repo, body, found[1]) if repo else MISSING) if key else NO_KEY
        return self._read(path, key)

    def _create(self, asked: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
        name = f"{asked.get('organization') or USER}/{asked['name']}"
        answer = {"url": f"{self.url}/{name}", "name": name, "id": name}
        if name in self.repos:
            return 409, {"error": "You already created this model repo", **answer}, {}
        private = asked.get("private", asked.get("visibility") == "private")
        self.repos[name] = Repo(private=bool(private))
        return 200, answer, {}

    def _delete(self, asked: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
        name = f"{asked.get('organization') or USER}/{asked['name']}"
        return (200, {}, {}) if self.repos.pop(name, None) else MISSING

    def _settings(self, repo: Repo, body: bytes, _: str) -> tuple[int, Any, dict[str, str]]:
        asked = json.loads(body)
        repo.private = bool(asked.get("private", asked.get("visibility") == "private"))
        return 200, {}, {}

    def _preupload(self, repo: Repo, body: bytes, _: str) -> tuple[int, Any, dict[str, str]]:
        files = [
            {
                "path": one["path"],
                "uploadMode": "lfs" if one["path"].endswith(".safetensors") else "regular",
                "shouldIgnore": False,
                "oid": None,
            }
            for one in json.loads(body)["files"]
        ]
        return 200, {"files": files}, {}

    def _batch(self, repo: Repo, body: bytes, _: str) -> tuple[int, Any, dict[str, str]]:
        objects = []
        for one in json.loads(body)["objects"]:
            known = one["oid"] in self.stored
            upload = {"upload": {"href": f"{self.url}/storage/{one['oid']}"}}
            objects.append(one if known else {**one, "actions": upload})
        return 200, {"transfer": "basic", "objects": objects}, {}

    def _store(self, oid: str, body: bytes) -> tuple[int, Any, dict[str, str]]:
        if self.refuse_storage:
            return 400, {"error": "no room"}, {}
        if hashlib.sha256(body).hexdigest() != oid:
            return 400, {"error": "not the file that was announced"}, {}
        self.stored[oid] = body
        return 200, {}, {}

    def _commit(self, repo: Repo, body: bytes, name: str) -> tuple[int, Any, dict[str, str]]:
        for line in body.splitlines():
            part = json.loads(line)
            value = part["value"]
            if part["key"] == "header":
                repo.titles.append(value["summary"])
            elif part["key"] == "file":
                repo.files[value["path"]] = base64.b64decode(value["content"])
            elif part["key"] == "lfsFile":
                repo.files[value["path"]] = self.stored[value["oid"]]
            elif part["key"] == "deletedFile":
                repo.files.pop(value["path"], None)
            else:
                return 400, {"error": f"a commit has no {part['key']}"}, {}
        oid = hashlib.sha1(body + str(len(repo.commits)).encode()).hexdigest()  # noqa: S324
        repo.commits.append(oid)
        url = f"{self.url}/{name}/commit/{oid}"
        return 200, {"commitUrl": url, "commitOid": oid, "success": True}, {}

    def _read(self, path: str, key: bool) -> tuple[int, Any, dict[str, str]]:
        about = re.fullmatch(r"/api/models/([^/]+/[^/]+)(/revision/[^/]+)?", path)
        file = re.fullmatch(r"/([^/]+/[^/]+)/resolve/[^/]+/(.+)", path)
        tree = re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/[^/]+(/.*)?", path)
        found = about or file or tree
        if not found:
            self.unknown.append(path)
            return 404, {"error": "no such address"}, {}
        repo = self.repos.get(found[1])
        if repo is None or (repo.private and not key):
            return MISSING if key else NO_KEY
        if about:
            front = repo.front_matter()
            return 200, {
                "id": found[1], "modelId": found[1], "sha": repo.head, "private": repo.private,
                "tags": front.get("tags", []), "cardData": front,
                "siblings": [{"rfilename": name} for name in sorted(repo.files)],
            }, {}  # fmt: skip
        if tree:
            return 404, {"error": "no such folder"}, {"X-Error-Code": "EntryNotFound"}
        content = repo.files.get(unquote(found[2]))
        if content is None:
            headers = {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": repo.head}
            return 404, {"error": "Entry not found"}, headers
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        return 200, content, {"ETag": etag, "X-Repo-Commit": repo.head}


MISSING = 404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"}
NO_KEY = 401, {"error": "Invalid username or password."}, {"X-Error-Code": "RepoNotFound"}


@contextmanager
def running() -> Iterator[Hub]:
    """A hub on a free port of this machine until the block ends."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self._body()
            key = self.headers.get("Authorization") == f"Bearer {KEY}"
            with hub.lock:
                path = urlsplit(self.path).path
                status, answer, headers = hub.answer(self.command, path, body, key)
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                parts = []
                while size := int(self.rfile.readline(), 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(parts)
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _any  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Nothing on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
