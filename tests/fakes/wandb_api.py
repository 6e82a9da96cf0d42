"""A W&B server on this machine: the GraphQL, file-stream and storage calls that wandb makes online.

It keeps what it is sent, and answers as W&B does as far as the client can tell: rows are kept by
their place in the stream, an artifact with the digest of an older one is that one, and a key that
it does not know gets 401. What it does not know it answers with an error and remembers.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "f" * 40
ENTITY = "somebody"


@dataclass
class SavedRun:
    """A run as the server has it; ``history`` is rows by their place in the stream."""

    name: str
    project: str
    display_name: str = ""
    job_type: str = ""
    host: str | None = None
    config: dict[str, Any] = field(default_factory=dict)
    history: dict[int, dict[str, Any]] = field(default_factory=dict)
    rows_sent: int = 0
    summary: dict[str, Any] = field(default_factory=dict)
    exit_code: int | None = None
    used: list[str] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """In the order of the stream, with no gap."""
        assert sorted(self.history) == list(range(len(self.history)))
        return [self.history[place] for place in sorted(self.history)]

    def settings(self) -> dict[str, Any]:
        """The config as the person sees it."""
        return {name: entry["value"] for name, entry in self.config.items() if name != "_wandb"}


@dataclass
class SavedArtifact:
    """A version of an artifact; ``files`` are what was uploaded, by name."""

    id: str
    name: str
    type: str
    digest: str
    metadata: dict[str, Any]
    manifest: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    committed: bool = False


class WandbServer:
    """What the fake has been sent, and its address."""

    def __init__(self) -> None:
        self.runs: dict[str, SavedRun] = {}
        self.artifacts: dict[str, SavedArtifact] = {}
        self.unknown: list[str] = []
        self.operations: list[str] = []
        self.bodies: list[bytes] = []
        self.files: dict[str, bytes] = {}
        self.rows_until_cut: int | None = None
        """Takes so many rows and then answers the stream no more; None takes all."""
        self.lock = threading.RLock()
        self.url = ""

    def artifact(self, name: str) -> SavedArtifact:
        """The one committed version of that name."""
        (found,) = [a for a in self.artifacts.values() if a.name == name and a.committed]
        return found

    # ── GraphQL ──────────────────────────────────────────────────────────────────────────

    def answer(self, name: str, given: dict[str, Any]) -> Any:
        """The ``data`` of an operation; None for one that is not known."""
        self.operations.append(name)
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
        method = getattr(self, f"_on_{words}", None)
        if method is None:
            self.unknown.append(f"{name} {json.dumps(given)[:200]}")
            return None
        return method(given)

    def _on_viewer(self, _: Any) -> Any:
        return {
            "viewer": {
                "id": "1", "entity": ENTITY, "username": ENTITY, "admin": False, "flags": "{}",
                "email": None, "teams": {"edges": []},
            }
        }  # fmt: skip

    def _on_artifact_type(self, _: Any) -> Any:
        return {"project": {"artifact": None}}

    def _on_server_features_query(self, _: Any) -> Any:
        return {"serverInfo": {"features": []}}

    def _on_run_resume_status(self, given: Any) -> Any:
        run = self.runs.get(given["name"])
        bucket = None
        if run is not None:
            tail = [json.dumps(run.rows[-1])] if run.rows else []
            bucket = {
                "id": run.name, "name": run.name, "displayName": run.display_name,
                "summaryMetrics": json.dumps(run.summary), "config": json.dumps(run.config),
                "logLineCount": 0, "eventsLineCount": 0, "historyLineCount": len(run.history),
                "historyTail": json.dumps(tail), "eventsTail": "[]", "tags": [], "notes": None,
                "wandbConfig": json.dumps({"t": 1}),
            }  # fmt: skip
        entity = {"id": "1", "name": ENTITY}
        return {"model": {"id": "p", "name": "p", "entity": entity, "bucket": bucket}}

    def _on_upsert_bucket(self, given: Any) -> Any:
        inserted = given["name"] not in self.runs
        project = given.get("project") or "uncategorized"
        run = self.runs.setdefault(given["name"], SavedRun(given["name"], project))
        run.display_name = given.get("displayName") or run.display_name
        run.job_type = given.get("jobType") or run.job_type
        run.host = given.get("host") or run.host
        if given.get("config"):
            run.config = json.loads(given["config"])
        if given.get("summaryMetrics"):
            run.summary = json.loads(given["summaryMetrics"])
        bucket = {
            "id": run.name, "name": run.name, "displayName": run.display_name,
            "description": "", "config": json.dumps(run.config), "sweepName": None,
            "project": {"id": "p", "name": project, "entity": {"id": "1", "name": ENTITY}},
            "historyLineCount": len(run.history),
        }  # fmt: skip
        return {"upsertBucket": {"bucket": bucket, "inserted": inserted}}

    def _on_xxhash_digests_enabled(self, _: Any) -> Any:
        return {"entity": {"xxhashDigestsEnabled": False}}

    def _on_fetch_artifact_digest_algorithm(self, _: Any) -> Any:
        return {"project": None}

    def _on_create_artifact(self, given: Any) -> Any:
        asked = given["input"]
        name, digest = asked["artifactCollectionName"], asked["digest"]
        found = next(
            (a for a in self.artifacts.values() if (a.name, a.digest) == (name, digest)), None
        )
        if found is None:
            metadata = json.loads(asked.get("metadata") or "{}")
            found = SavedArtifact(
                f"artifact-{len(self.artifacts)}", name, asked["artifactTypeName"], digest, metadata
            )
            self.artifacts[found.id] = found
        if asked.get("runName"):  # an input of a run that nobody made here has none
            self.runs[asked["runName"]].logged.append(name)
        return {"createArtifact": {"artifact": self._shown(found)}}

    def _shown(self, artifact: SavedArtifact) -> dict[str, Any]:
        return {
            "id": artifact.id, "state": "COMMITTED" if artifact.committed else "PENDING",
            "digest": artifact.digest, "artifactSequence": {"id": "s", "latestArtifact": None},
        }  # fmt: skip

    def _on_create_artifact_manifest(self, given: Any) -> Any:
        url = f"{self.url}/storage/{given['artifactID']}/manifest"
        file = {"id": "f", "name": "m", "displayName": "m", "uploadUrl": url, "uploadHeaders": []}
        manifest = {"id": given["artifactID"], "file": file}
        return {"createArtifactManifest": {"artifactManifest": manifest}}

    def _on_update_artifact_manifest(self, given: Any) -> Any:
        url = f"{self.url}/storage/{given['artifactManifestID']}/manifest"
        file = {"id": "f", "name": "m", "displayName": "m", "uploadUrl": url, "uploadHeaders": []}
        manifest = {"id": given["artifactManifestID"], "file": file}
        return {"updateArtifactManifest": {"artifactManifest": manifest}}

    def _on_create_artifact_files(self, given: Any) -> Any:
        edges = []
        for asked in given["input"]["artifactFiles"]:
            path = f"{asked['artifactID']}/file/{asked['name']}"
            node = {
                "id": path, "name": asked["name"], "displayName": asked["name"],
                "storagePath": path, "uploadUrl": f"{self.url}/storage/{path}",
                "uploadHeaders": [], "uploadMultipartUrls": None,
                "artifact": {"id": asked["artifactID"]},
            }  # fmt: skip
            edges.append({"node": node})
        return {"createArtifactFiles": {"files": {"edges": edges}}}

    def _on_commit_artifact(self, given: Any) -> Any:
        artifact = self.artifacts[given["artifactID"]]
        artifact.committed = True
        return {"commitArtifact": {"artifact": self._shown(artifact)}}

    def _on_use_artifact(self, given: Any) -> Any:
        asked = given["input"]
        artifact = self.artifacts[asked["artifactID"]]
        self.runs[asked["runName"]].used.append(artifact.name)
        return {"useArtifact": {"artifact": self._shown(artifact)}}

    def _on_create_run_files(self, given: Any) -> Any:
        files = [
            {"name": name, "uploadUrl": f"{self.url}/storage/run/{given['run']}/{name}"}
            for name in given["files"]
        ]
        made = {"runID": given["run"], "uploadHeaders": [], "files": files}
        return {"createRunFiles": made}

    # ── the stream of a run, and storage ─────────────────────────────────────────────────

    def stream(self, name: str, body: dict[str, Any]) -> bool:
        """Takes a piece of a run's stream; False when it pretends to be out of reach."""
        run = self.runs[name]
        for file, chunk in (body.get("files") or {}).items():
            for place, line in enumerate(chunk["content"], chunk["offset"]):
                if file == "wandb-summary.json":
                    run.summary = json.loads(line)
                elif file == "wandb-history.jsonl":
                    if self.rows_until_cut is not None and run.rows_sent >= self.rows_until_cut:
                        return False
                    run.history[place] = json.loads(line)
                    run.rows_sent += 1
        if body.get("complete"):
            run.exit_code = body.get("exitcode")
        return True

    def store(self, path: str, content: bytes) -> None:
        owner, _, name = path.partition("/")
        artifact = self.artifacts.get(owner)
        if artifact is None:
            self.files[path] = content
        elif name == "manifest":
            artifact.manifest = json.loads(content)
        else:
            artifact.files[name.removeprefix("file/")] = content


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "fake"

    def log_message(self, *_: Any) -> None:
        pass

    def handle(self) -> None:
        with suppress(ConnectionError):  # a client that was killed
            super().handle()

    @property
    def _fake(self) -> WandbServer:
        return self.server.fake  # type: ignore[attr-defined,no-any-return]

    def do_POST(self) -> None:
        body = self._body()
        if not self._has_key():
            self._send(401, {"errors": [{"message": "user is not logged in"}]})
            return
        with self._fake.lock:
            self._fake.bodies.append(body)
            if self.path == "/graphql":
                asked = json.loads(body)
                name = asked.get("operationName") or asked["query"].split("(")[0].split()[1]
                data = self._fake.answer(name, asked.get("variables") or {})
                errors = [{"message": f"unknown operation {name}"}]
                self._send(200, {"data": data} if data is not None else {"errors": errors})
            elif self.path.endswith("/file_stream"):
                taken = self._fake.stream(self.path.split("/")[-2], json.loads(body))
                self._send(200 if taken else 503, {})
            else:
                self._fake.unknown.append(f"POST {self.path}")
                self._send(404, {})

    def do_PUT(self) -> None:
        body = self._body()
        with self._fake.lock:
            self._fake.bodies.append(body)
            self._fake.store(self.path.removeprefix("/storage/"), body)
        self._send(200, {})

    def do_GET(self) -> None:
        self._fake.unknown.append(f"GET {self.path}")
        self._send(404, {})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            body = b"".join(parts)
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

    def _has_key(self) -> bool:
        kind, _, given = (self.headers.get("Authorization") or "").partition(" ")
        return kind == "Basic" and base64.b64decode(given).decode() == f"api:{KEY}"

    def _send(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def wandb_server() -> Iterator[WandbServer]:
    """A fake on a free port of this machine, for the block."""
    fake = WandbServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.fake = fake  # type: ignore[attr-defined]
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
