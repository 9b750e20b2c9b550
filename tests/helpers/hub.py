"""A stand-in for the Hugging Face hub on this machine's loopback: repositories in memory, each push a commit."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

TOKEN, OTHERS = "hf_stand_in_of_anna", "hf_stand_in_of_somebody_else"


@dataclass
class Repository:
    private: bool
    commits: list[dict[str, bytes]] = field(default_factory=lambda: [{".gitattributes": b""}])

    @property
    def shas(self):
        return [hashlib.sha1(str(number).encode()).hexdigest() for number in range(len(self.commits))]

    def files(self, revision):
        revision = self.shas[-1] if revision == "main" else revision
        return (revision, self.commits[self.shas.index(revision)]) if revision in self.shas else (None, {})


@dataclass
class Hub:
    url: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def put(self, name, files, *, private=True):
        """Make a repository as somebody would who does not use xlser."""
        self.repositories[name] = Repository(private, [files])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_):
        pass

    def answer(self, status, value=None, headers=None, body=None):
        body = json.dumps(value).encode() if body is None else body
        self.send_response(status)
        for key, text in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(key, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def who(self):
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        return {TOKEN: "anna", OTHERS: "otto"}.get(token)

    def may_read(self, name):
        mine = self.hub.repositories.get(name)
        return mine is not None and (not mine.private or name.startswith(f"{self.who()}/"))

    def do_POST(self):
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append(f"POST {path}")
        if path == "/api/validate-yaml":
            return self.answer(200, {"errors": [], "warnings": []})
        if self.who() is None:
            return self.answer(401, {"error": "Invalid username or password."})
        if path == "/api/repos/create":
            return self.create(json.loads(text))
        found = re.fullmatch(r"/api/models/([^/]+/[^/]+)/(preupload|commit)/main", path)
        if not found or found[1] not in self.hub.repositories:
            return self.answer(404, {"error": "not found"}, {"X-Error-Code": "RepoNotFound"})
        if not found[1].startswith(f"{self.who()}/"):
            return self.answer(403, {"error": "Forbidden"})
        if found[2] == "preupload":
            files = [
                {"path": row["path"], "uploadMode": "regular", "shouldIgnore": False}
                for row in json.loads(text)["files"]
            ]
            return self.answer(200, {"files": files})
        return self.commit(found[1], text.decode().splitlines())

    def create(self, asked):
        name = f"{asked.get('organization') or self.who()}/{asked['name']}"
        if not name.startswith(f"{self.who()}/"):
            return self.answer(403, {"error": "You don't have the rights to create a model under this namespace"})
        url = f"{self.hub.url}/{name}"
        if name in self.hub.repositories:
            return self.answer(409, {"error": "exists", "url": url})
        private = asked.get("visibility") == "private" or bool(asked.get("private"))
        self.hub.repositories[name] = Repository(private)
        return self.answer(200, {"url": url, "name": name})

    def commit(self, name, lines):
        repository = self.hub.repositories[name]
        files = dict(repository.commits[-1])
        for row in map(json.loads, lines):
            if row["key"] == "file":
                files[row["value"]["path"]] = base64.b64decode(row["value"]["content"])
            elif row["key"] == "deletedFile":
                files.pop(row["value"]["path"], None)
        repository.commits.append(files)
        sha = repository.shas[-1]
        return self.answer(200, {"commitUrl": f"{self.hub.url}/{name}/commit/{sha}", "commitOid": sha, "success": True})

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append(f"{self.command} {path}")
        found = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(revision|tree)/([^/]+))?", path)
        resolved = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        name = (found or resolved)[1] if found or resolved else ""
        if not self.may_read(name):
            error = {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"}
            return self.answer(404 if self.who() else 401, {"error": "Repository not found"}, error)
        repository = self.hub.repositories[name]
        sha, files = repository.files((found[3] if found else resolved[2]) or "main")
        if sha is None:
            return self.answer(404, {"error": "Revision not found"}, {"X-Error-Code": "RevisionNotFound"})
        if resolved:
            body = files.get(resolved[3])
            if body is None:
                return self.answer(404, {"error": "no"}, {"X-Error-Code": "EntryNotFound"})
            etag = f'"{hashlib.sha1(body).hexdigest()}"'
            return self.answer(200, headers={"X-Repo-Commit": sha, "ETag": etag}, body=body)
        if found[2] == "tree":
            rows = [
                {"type": "file", "path": path, "size": len(body), "oid": hashlib.sha1(body).hexdigest()}
                for path, body in files.items()
            ]
            return self.answer(200, rows)
        siblings = [{"rfilename": path} for path in files]
        about = {"id": name, "modelId": name, "sha": sha, "private": repository.private, "siblings": siblings}
        return self.answer(200, about | {"tags": [], "downloads": 0, "likes": 0})

    do_HEAD = do_GET


@contextmanager
def running_hub():
    """Yield a `Hub` that answers on a port of its own."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
