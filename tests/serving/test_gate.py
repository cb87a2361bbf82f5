"""The gate and Gradio behind it, tried with what was found in Gradio over the years, and then some."""

import http.server
import json
import socket
import threading
from pathlib import Path
from urllib.parse import quote

import gradio
import httpx
import pytest

from demo.serving.gate import security_headers
from demo.serving.limits import MEGABYTE

ROOT = Path(__file__).parents[2]
SECRET = "a file of the host's own"


@pytest.fixture(scope="module")
def inner():
    """A server inside the network that must never be asked; `asked` are the paths that were."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            server.asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(SECRET.encode())

        do_POST = do_HEAD = do_GET

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret.txt"
    path.write_text(SECRET)
    return path


def raw(address: str, target: str) -> tuple[int, bytes]:
    """Status and body for a request line as it stands: httpx would tidy dots and slashes."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 10) as connection:
        line = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        connection.sendall(line.encode())
        data = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = data.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def spellings(path: str) -> list[str]:
    """A path as it is, from the root by dots, doubly quoted, with dots in between, with backslashes."""
    climbing = "../" * 12 + path.lstrip("/")
    return [path, climbing, quote(path, safe=""), quote(quote(path, safe=""), safe=""),
            f"/{climbing}", "//" + path, f"/tmp/..{path}", climbing.replace("/", "\\"),
            "file://" + path, "FILE:" + path]  # fmt: skip


@pytest.mark.parametrize(
    "route", ["/gradio_api/file=", "/static/", "/assets/", "/svelte/", "/file=", "/file/"]
)
def test_no_spelling_of_a_path_gives_a_file_of_the_host(address, secret, route):
    for path in (str(secret), "/etc/passwd", str(ROOT / "app.py"), str(Path(gradio.__file__))):
        for spelling in spellings(path):
            status, body = raw(address, route + quote(spelling, safe="%/\\:"))
            assert status in (400, 403, 404, 405, 422), (spelling, status)
            assert SECRET.encode() not in body and b"root:" not in body and b"import " not in body


def test_an_address_is_neither_fetched_nor_redirected_to(address, inner):
    inside = f"http://127.0.0.1:{inner.server_port}/inside"
    for target in (inside, "http://169.254.169.254/latest/meta-data", "https://example.org", "//example.org",
                   "http:/example.org", "ftp://example.org", quote(inside, safe="")):  # fmt: skip
        for route in ("/gradio_api/file=", "/gradio_api/proxy=", "/file=", "/proxy="):
            status, body = raw(address, route + target)
            assert status in (400, 403, 404) and SECRET.encode() not in body, (route, target, status)
    assert inner.asked == []


def test_what_the_page_does_not_need_is_not_there(address):
    reads = ("monitoring", "monitoring/summary", "runs", "docs", "redoc", "login", "gradio_api/deep_link",
             "gradio_api/run-history/buckets", "gradio_api/run-history/records", "gradio_api/vibe-code",
             "gradio_api/dev/reload", "gradio_api/custom_component/x/client/y/z",
             "gradio_api/stream/a/b/c/playlist-file", "gradio_api/profiling/traces")  # fmt: skip
    for path in reads:
        assert httpx.get(f"{address}/{path}").status_code == 404, path
    writes = ("gradio_api/run/reconstruct", "gradio_api/api/reconstruct", "gradio_api/vibe-edit", "login",
              "gradio_api/process_recording", "gradio_api/run-history/connect", "gradio_api/undo-vibe-edit",
              "gradio_api/stream/abc", "gradio_api/profiling/clear")  # fmt: skip
    for path in writes:
        assert httpx.post(f"{address}/{path}", json={"data": []}).status_code == 404, path
    for method in ("PUT", "PATCH", "TRACE"):
        assert httpx.request(method, f"{address}/config").status_code == 404


def test_a_file_elsewhere_is_not_taken_as_an_upload(address, layout, secret):
    for path in (str(secret), "/etc/passwd", "../../etc/passwd", "/proc/self/environ"):
        described = {"path": path, "meta": {"_type": "gradio.FileData"}}
        for body in ({"data": [described, None, True]}, {"data": [{"path": path}, None, True]}):
            joined = httpx.post(f"{address}/gradio_api/call/reconstruct", json=body)
            answer = httpx.get(
                f"{address}/gradio_api/call/reconstruct/{joined.json()['event_id']}", timeout=20
            )
            assert "event: error" in answer.text
            assert SECRET not in answer.text and "root:" not in answer.text and "Traceback" not in answer.text
    assert secret.read_text() == SECRET


@pytest.mark.parametrize("scheme", ["http", "HTTPS", "ftp", "file", "gopher", " http", "data"])
def test_the_server_fetches_nothing_for_anybody(address, inner, scheme):
    url = f"{scheme}://127.0.0.1:{inner.server_port}/photo.jpg"
    for described in ({"path": url}, {"path": url, "url": url, "meta": {"_type": "gradio.FileData"}}):
        answer = httpx.post(f"{address}/gradio_api/call/reconstruct", json={"data": [described, None, True]})
        assert answer.status_code == 400
        assert answer.json()["detail"].startswith("This server fetches nothing from addresses")
    assert inner.asked == []


def test_an_upload_cannot_choose_its_place(address, cache, tmp_path):
    for name in ("../../escaped.jpg", "/etc/escaped.jpg", "..\\..\\escaped.jpg", "a/b/c.jpg", ".", "..",
                 "~x.jpg", "x" * 4000 + ".jpg", "\u202egpj.exe", "nul\\con.jpg"):  # fmt: skip
        answer = httpx.post(f"{address}/gradio_api/upload", files={"files": (name, b"content")})
        assert answer.status_code in (200, 400, 413, 507), name
        for path in answer.json() if answer.status_code == 200 else []:
            assert (
                Path(path).resolve().is_relative_to(cache.resolve()) and Path(path).read_bytes() == b"content"
            )
            Path(path).unlink()


def test_equal_uploads_are_two_files_in_folders_of_their_own(address):
    sent = [httpx.post(f"{address}/gradio_api/upload", files={"files": ("same.jpg", b"same")}).json()[0]
            for _ in range(2)]  # fmt: skip
    first, second = map(Path, sent)
    assert first != second and not set(first.parts[-3:-1]) & {second.parts[-3]}
    first.unlink()
    assert second.read_bytes() == b"same"
    second.unlink()


def test_files_of_others_cannot_be_listed_or_guessed(address, cache):
    path = httpx.post(f"{address}/gradio_api/upload", files={"files": ("mine.jpg", b"mine")}).json()[0]
    folder = Path(path).relative_to(cache).parts[0]
    assert len(folder) == 32 and int(folder, 16)
    for guess in (cache, cache / folder, Path(path).parent, cache / ("0" * 32) / "x" / "mine.jpg"):
        assert raw(address, f"/gradio_api/file={guess}")[0] == 403
    assert httpx.get(f"{address}/gradio_api/file={path}").content == b"mine"
    Path(path).unlink()


def test_too_large_a_body_is_refused_in_a_sentence(address):
    large = b"0" * (3 * MEGABYTE)
    answer = httpx.post(f"{address}/gradio_api/upload", files={"files": ("large.jpg", large)})
    assert answer.status_code == 413 and answer.json()["detail"].startswith("This is larger than the 2 MB")
    answer = httpx.post(
        f"{address}/gradio_api/queue/join", content=json.dumps({"data": ["0" * (2 * MEGABYTE)]})
    )
    assert answer.status_code == 413 and "1 MB" in answer.json()["detail"]


def test_too_large_a_body_of_unknown_length_is_cut_off(address, cache):
    def pieces():
        head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="large.jpg"\r\n\r\n'
        yield head
        for _ in range(48):
            yield b"0" * (MEGABYTE // 16)

    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = httpx.post(f"{address}/gradio_api/upload", content=pieces(), headers=headers)
    assert answer.status_code == 413
    assert not [path for path in cache.rglob("large.jpg") if path.is_file()]


def test_a_body_that_does_not_come_is_given_up(address):
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 20) as connection:
        connection.sendall(
            b"POST /gradio_api/upload HTTP/1.1\r\nHost: x\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000\r\n\r\n--x\r\n"
        )
        answer = connection.recv(65536)
    assert b" 408 " in answer.splitlines()[0]


def test_all_answers_carry_the_security_headers(address):
    for path in (
        "/",
        "/config",
        "/healthz",
        "/gradio_api/file=/etc/passwd",
        "/nothing",
        "/static/img/logo.svg",
    ):
        headers = httpx.get(f"{address}{path}").headers
        for name, value in security_headers().items():
            assert headers.get_list(name) == [value], (path, name)


def test_other_hosts_are_not_in_the_policy(monkeypatch):
    monkeypatch.delenv("SPACE_ID", raising=False)
    policy = security_headers()["content-security-policy"]
    hosts = [word for part in policy.split(";") if "frame-ancestors" not in part for word in part.split()
             if "//" in word]  # fmt: skip
    assert hosts == []
    monkeypatch.setenv("SPACE_ID", "user/space")
    assert "https://cdnjs.cloudflare.com" in security_headers()["content-security-policy"]


def test_json_that_is_none_or_nested_without_end_is_refused(address):
    for content in (
        b"",
        b"{",
        b"[" * 200_000,
        b'{"data":' * 50_000,
        b'{"data": NaN}',
        b"\xff\xfe",
        b"null",
        b"[]",
    ):
        for route in ("queue/join", "call/reconstruct", "component_server", "cancel"):
            answer = httpx.post(f"{address}/gradio_api/{route}", content=content, timeout=20,
                                headers={"content-type": "application/json"})  # fmt: skip
            assert 400 <= answer.status_code <= 500 and "Traceback" not in answer.text, (route, content[:20])
    assert httpx.get(f"{address}/healthz").status_code == 200
