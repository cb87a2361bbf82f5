"""A server on this machine that speaks the Hugging Face Hub's routes, with switches for what may go wrong."""

import contextlib
import json
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from hub.hub_repository import LARGE, Repository, described, git_sum
from hub.hub_upload import Uploads


@dataclass
class Faults:
    """What goes wrong; nothing by default.

    missing_files: listed, but not to be had. gated: files are for those with a token. wrong_bytes: names of
    files to how often they still come with a changed byte. cuts: names to after how many bytes the connection
    is cut, once an entry. stalls: names to after how many bytes nothing more comes. broken: every answer is
    an error 500. whole_only: parts of files are not sent. silent: no answer comes at all.
    """

    missing_files: set[str] = field(default_factory=set)
    gated: bool = False
    wrong_bytes: dict[str, int] = field(default_factory=dict)
    cuts: dict[str, list[int]] = field(default_factory=dict)
    stalls: dict[str, int] = field(default_factory=dict)
    broken: bool = False
    whole_only: bool = False
    silent: bool = False


class HubServer(ThreadingHTTPServer):
    """Repositories by ("model" or "space", "user/name").

    requests: what was asked, as "METHOD PATH", with the Range behind it. owner: the token that may write;
    reader: one that may only read.
    """

    daemon_threads = True
    # A silent answer must not keep the test from its end.
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.large: dict[str, bytes] = {}
        self.faults = Faults()
        self.requests: list[str] = []
        self.owner, self.reader = "hf_owner", "hf_reader"
        self.end = threading.Event()
        self.connections: list[socket.socket] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def add(self, repo: str, files: Mapping[str, bytes], kind: str = "model") -> str:
        """A commit of these files on the main branch; returns its 40 digits."""
        return self.repositories.setdefault((kind, repo), Repository()).commit(files)

    def asked(self, part: str) -> list[str]:
        """The requests so far that hold this text."""
        return [request for request in self.requests if part in request]

    def process_request(self, request: socket.socket, client_address: tuple) -> None:
        self.connections.append(request)
        super().process_request(request, client_address)

    def stop(self) -> None:
        """No connection is taken from now on, and those that were kept open end."""
        self.end.set()
        self.shutdown()
        self.server_close()
        for connection in self.connections:
            # Those that have ended are closed already.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Answers(Uploads, BaseHTTPRequestHandler):
    """One connection's requests."""

    server: HubServer
    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        """Clients that went away are no event."""
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def do_GET(self) -> None:
        if not self.begin():
            return
        parts = self.path_parts()
        if parts[:1] == ["content"]:
            self.answer_file(*self.addressed(parts[1:]), redirects=False)
        elif parts[:1] == ["api"] and parts[1] == "whoami-v2":
            self.answer_whoami()
        elif parts[:1] == ["api"]:
            kind, repo = parts[1].removesuffix("s"), "/".join(parts[2:4])
            self.answer_api(kind, repo, parts[4:])
        elif "resolve" in parts:
            self.answer_file(*self.addressed(parts), redirects=True)
        else:
            self.refuse(404, "NotFound")

    do_HEAD = do_GET

    def begin(self) -> bool:
        """Note the request; False where the answer was already a fault's."""
        ranged = self.headers.get("Range")
        self.server.requests.append(f"{self.command} {self.path}" + (f" {ranged}" if ranged else ""))
        faults = self.server.faults
        if faults.silent:
            self.server.end.wait(60)
            self.close_connection = True
        elif faults.broken:
            self.refuse(500, "Internal")
        elif self.token() not in (None, self.server.owner, self.server.reader):
            self.refuse(401, "Invalid credentials in Authorization header")
        else:
            return True
        return False

    def answer_api(self, kind: str, repo: str, rest: list[str]) -> None:
        """Model information and the list of files of a commit."""
        commit = self.commit_of(kind, repo, rest[1] if len(rest) > 1 else "main")
        if commit is None:
            return
        files = self.server.repositories[kind, repo].commits[commit]
        if rest[:1] == ["tree"]:
            self.send_json([{"type": "file", "path": name, **described(name, files[name])} for name in files])
        else:
            listed = [{"rfilename": name, **described(name, files[name])} for name in files]
            self.send_json({"id": repo, "sha": commit, "siblings": listed, "tags": []})

    def commit_of(self, kind: str, repo: str, revision: str) -> str | None:
        """The commit, or None after an answer that says what is missing."""
        repository = self.server.repositories.get((kind, repo))
        if repository is None:
            self.refuse(401 if self.token() is None else 404, "RepoNotFound")
            return None
        commit = repository.find(revision)
        if commit is None:
            self.refuse(404, "RevisionNotFound")
        return commit

    def addressed(self, parts: list[str]) -> tuple[str, str, str, str]:
        """Kind and name of the repository, revision and file of [spaces/]USER/NAME/resolve/REVISION/FILE."""
        at = parts.index("resolve")
        kind = "space" if parts[0] == "spaces" else "model"
        return kind, "/".join(parts[at - 2 : at]), parts[at + 1], "/".join(parts[at + 2 :])

    def answer_file(self, kind: str, repo: str, revision: str, name: str, redirects: bool) -> None:
        """A file from the byte on that the request's Range names, with the faults that are set for it.

        redirects: large files are somewhere else, as the Hub's are.
        """
        commit = self.commit_of(kind, repo, revision)
        if commit is None:
            return
        faults, files = self.server.faults, self.server.repositories[kind, repo].commits[commit]
        if faults.gated and self.token() is None:
            self.refuse(401, "GatedRepo")
            return
        if name not in files or name in faults.missing_files:
            self.refuse(404, "EntryNotFound", {"X-Repo-Commit": commit})
            return
        data = files[name]
        etag = described(name, data).get("lfs", {}).get("oid") or git_sum(data)
        if redirects and name.endswith(LARGE):
            self.send_response(302)
            self.send_header("X-Repo-Commit", commit)
            self.send_header("X-Linked-ETag", f'"{etag}"')
            self.send_header("X-Linked-Size", str(len(data)))
            self.send_header("Location", f"{self.server.endpoint}/content{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.command == "GET" and faults.wrong_bytes.get(name, 0) > 0:
            faults.wrong_bytes[name] -= 1
            data = data[:-1] + bytes([data[-1] ^ 1])
        asked = None if faults.whole_only else self.headers.get("Range")
        start = int((asked or "bytes=0-").removeprefix("bytes=").split("-")[0])
        self.send_response(206 if start else 200)
        self.send_header("X-Repo-Commit", commit)
        self.send_header("ETag", f'"{etag}"')
        self.send_header("Accept-Ranges", "bytes")
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if self.command == "GET":
            self.send_body(name, data[start:])

    def send_body(self, name: str, data: bytes) -> None:
        faults = self.server.faults
        cuts = faults.cuts.get(name)
        if name in faults.stalls:
            self.wfile.write(data[: faults.stalls[name]])
            self.server.end.wait(60)
        elif cuts:
            self.wfile.write(data[: cuts.pop(0)])
            self.close_connection = True
        else:
            self.wfile.write(data)

    def path_parts(self) -> list[str]:
        """The path's words, decoded."""
        return [part.replace("%2F", "/") for part in self.path.partition("?")[0].split("/") if part]

    def token(self) -> str | None:
        """The token that came with the request."""
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None

    def send_json(self, value: object, status: int = 200) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def refuse(self, status: int, code: str, headers: Mapping[str, str] | None = None) -> None:
        """An error in the Hub's form."""
        self.send_response(status)
        for name, value in {"X-Error-Code": code, "X-Error-Message": code, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keeps the test's output clean."""
