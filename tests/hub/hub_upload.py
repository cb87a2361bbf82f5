"""The local Hub takes uploads: repositories, branches, large files, commits, a Space's variables."""

import base64
import json
from http.server import BaseHTTPRequestHandler

from hub.hub_repository import LARGE, Repository


class Uploads(BaseHTTPRequestHandler):
    """The writing half of `hub_server.Answers`, whose other methods it uses."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.begin():
            return
        parts = self.path_parts()
        if parts == ["api", "validate-yaml"]:
            self.send_json({"errors": [], "warnings": []})
        elif self.may_write():
            self.answer_post(parts, body)

    def do_PUT(self) -> None:
        body = self.read_body()
        if self.begin():
            self.server.large[self.path_parts()[-1]] = body
            self.send_json({})

    def read_body(self) -> bytes:
        """A body of a known length, or one in chunks."""
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def answer_whoami(self) -> None:
        if self.token() not in (self.server.owner, self.server.reader):
            self.refuse(401, "InvalidToken")
            return
        role = "write" if self.token() == self.server.owner else "read"
        access = {"displayName": "test", "role": role}
        self.send_json({"name": "somebody", "type": "user", "auth": {"accessToken": access}})

    def may_write(self) -> bool:
        """Whether the token is the owner's; else False, after the Hub's refusal."""
        if self.token() == self.server.owner:
            return True
        self.refuse(403 if self.token() == self.server.reader else 401, "Forbidden")
        return False

    def answer_post(self, parts: list[str], body: bytes) -> None:
        if parts == ["api", "repos", "create"]:
            self.create_repository(json.loads(body))
            return
        if parts[-1] == "batch":
            self.answer_batch(json.loads(body))
            return
        kind, repo, action = parts[1].removesuffix("s"), "/".join(parts[2:4]), parts[4]
        repository = self.server.repositories.get((kind, repo))
        if repository is None:
            self.refuse(404, "RepoNotFound")
        elif action == "branch":
            self.create_branch(repository, parts[5])
        elif action == "preupload":
            self.answer_preupload(json.loads(body))
        elif action == "commit":
            self.take_commit(repository, kind, repo, parts[5], body)
        elif action in ("variables", "secrets"):
            asked = json.loads(body)
            held = repository.settings.setdefault(action, {})
            held[asked["key"]] = {"key": asked["key"], "value": asked["value"]}
            self.send_json(held)
        else:
            self.refuse(404, "NotFound")

    def create_repository(self, asked: dict) -> None:
        kind = asked.get("type") or "model"
        repo = f"{asked['organization'] or 'somebody'}/{asked['name']}"
        prefix = "spaces/" if kind == "space" else ""
        if repo.partition("/")[0] != "somebody":
            self.refuse(403, "Forbidden")
            return
        is_known = (kind, repo) in self.server.repositories
        if not is_known:
            new = self.server.repositories[kind, repo] = Repository(settings=asked)
            new.commit({".gitattributes": b"*.safetensors filter=lfs\n"})
        self.send_json({"url": f"{self.server.endpoint}/{prefix}{repo}"}, 409 if is_known else 200)

    def create_branch(self, repository: Repository, name: str) -> None:
        if name in repository.branches:
            self.refuse(409, "Conflict")
            return
        repository.branches[name] = repository.branches["main"]
        self.send_json({})

    def answer_preupload(self, asked: dict) -> None:
        self.send_json({"files": [
            {"path": file["path"], "uploadMode": "lfs" if file["path"].endswith(LARGE) else "regular",
             "shouldIgnore": False}
            for file in asked["files"]
        ]})  # fmt: skip

    def answer_batch(self, asked: dict) -> None:
        """Where each large file is to be put."""
        objects = [
            {"oid": one["oid"], "size": one["size"],
             "actions": {"upload": {"href": f"{self.server.endpoint}/storage/{one['oid']}"}}}
            for one in asked["objects"]
        ]  # fmt: skip
        self.send_json({"transfer": "basic", "objects": objects})

    def take_commit(self, repository: Repository, kind: str, repo: str, branch: str, body: bytes) -> None:
        """Lines of JSON: a head, then files, large files (put before) and deletions."""
        files = dict(repository.commits[repository.branches[branch]])
        for line in body.splitlines():
            key, value = (json.loads(line)[name] for name in ("key", "value"))
            if key == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif key == "lfsFile":
                files[value["path"]] = self.server.large[value["oid"]]
            elif key == "deletedFile":
                del files[value["path"]]
        commit = repository.commit(files, branch)
        prefix = "spaces/" if kind == "space" else ""
        url = f"{self.server.endpoint}/{prefix}{repo}/commit/{commit}"
        self.send_json({"commitUrl": url, "commitOid": commit})
