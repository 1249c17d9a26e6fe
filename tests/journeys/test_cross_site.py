"""A page of another origin, in a real browser, cannot change anything behind `scones up`."""

import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from emulation.processes.environment_state import EnvironmentState
from emulation.session import LocalSession
from tests.cli_runner import User

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed"),
]

BUCKET = "images"
TARGET = "arn:aws:scheduler:::aws-sdk:sagemaker:createTrainingJob"
SCHEDULE = {
    "ScheduleExpression": "at(2099-01-01T00:00:00)",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {"Arn": TARGET, "RoleArn": "arn:aws:iam::000000000000:role/any", "Input": "{}"},
}
# Sends what a page may send to another origin without asking, as a form that is submitted into a frame and by fetch,
# and then tries to read; at the end it reports to its own server.
PAGE = """<!doctype html><iframe name="frame"></iframe>
<form id="form" method="post" enctype="multipart/form-data" target="frame" action="{s3}/{bucket}">
<input name="key" value="form.txt"><input name="success_action_status" value="201">
<input name="file" value="attack"></form>
<script>
const seen = {{}};
async function attempt(name, url, options) {{
  try {{
    const answer = await fetch(url, options);
    seen[name] = answer.type === "opaque" ? "opaque" : answer.status;
  }} catch (error) {{ seen[name] = "blocked"; }}
}}
async function attack() {{
  const submitted = new Promise(done => document.querySelector("iframe").addEventListener("load", done));
  document.getElementById("form").submit();
  const data = new FormData();
  data.append("key", "fetch.txt");
  data.append("file", new Blob(["attack"]));
  const schedule = {schedule};
  await Promise.all([
    submitted,
    attempt("form", "{s3}/{bucket}", {{method: "POST", body: data, mode: "no-cors"}}),
    attempt("text", "{sagemaker}/schedules/text", {{method: "POST", body: schedule, mode: "no-cors"}}),
    attempt("blob", "{sagemaker}/schedules/blob", {{method: "POST", body: new Blob([schedule]), mode: "no-cors"}}),
    attempt("json", "{sagemaker}/schedules/json",
      {{method: "POST", body: schedule, headers: {{"Content-Type": "application/json"}}}}),
    attempt("queue", "{s3}/?Action=CreateQueue&QueueName=attack", {{mode: "no-cors"}}),
    attempt("lambda", "{function}/2015-03-31/functions/function/invocations",
      {{method: "POST", body: "{{}}", mode: "no-cors"}}),
    attempt("read", "{sagemaker}/_scones/health", {{}}),
  ]);
  await fetch("/", {{method: "POST", body: JSON.stringify(seen)}});
}}
attack();
</script>"""


@dataclass(frozen=True)
class Site:
    """The local stack, and clients for it."""

    session: LocalSession
    state: EnvironmentState

    def changes(self) -> tuple[list[str], list[str], list[str]]:
        """The objects, schedules and queues that are there."""
        objects = self.session.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])
        queues = self.session.client("sqs").list_queues().get("QueueUrls", [])
        return [entry["Key"] for entry in objects], self._schedules(), queues

    def _schedules(self) -> list[str]:
        client = self.session.client("scheduler")
        result = []
        for name in ("text", "blob", "json"):
            try:
                result.append(client.get_schedule(Name=name)["Name"])
            except client.exceptions.ResourceNotFoundException:
                continue
        return result


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Site]:
    user = User(tmp_path_factory.mktemp("home"), {"SCONES_CACHE": str(cache)})
    try:
        response = user.run("up", "--detach")
        assert response.returncode == 0, response.stderr
        state = EnvironmentState.from_json((user.home / "environment.json").read_text())
        session = LocalSession(state.localstack_url, state.sagemaker_url)
        session.client("s3").create_bucket(Bucket=BUCKET)
        yield Site(session, state)
    finally:
        user.run("down")


@contextmanager
def served(page: bytes) -> Iterator[tuple[int, SimpleQueue[bytes]]]:
    """Serve the page on its own port, which makes it another origin under whatever name; yield what it reports, too."""
    reports: SimpleQueue[bytes] = SimpleQueue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            reports.put(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: Any) -> None:
            """Keep the test's output to what it says itself."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_port, reports
        server.shutdown()


def browser_command(profile: Path) -> list[str]:
    """The command of a browser that takes evil.example for 127.0.0.1."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    network = ["--no-proxy-server", "--host-resolver-rules=MAP evil.example 127.0.0.1"]
    return [str(CHROMIUM), *options, *network, f"--user-data-dir={profile}"]


def dom(url: str, profile: Path) -> str:
    """Open a URL in a browser; return the document when it is loaded."""
    finished = subprocess.run(
        [*browser_command(profile), "--dump-dom", url], capture_output=True, text=True, timeout=600, check=False
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    return finished.stdout


def report_of(page: str, host: str, profile: Path) -> dict[str, Any]:
    """Open the page under a host name in a browser, and return what it reports at its end."""
    with served(page.encode()) as (port, reports):
        command = [*browser_command(profile), "--remote-debugging-port=0", f"http://{host}:{port}/"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True) as browser:
            try:
                seen: dict[str, Any] = json.loads(reports.get(timeout=600))
            finally:
                os.killpg(browser.pid, signal.SIGKILL)
    return seen


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "evil.localhost", "evil.example"])
def test_a_page_of_another_origin_changes_nothing_and_reads_nothing(host: str, site: Site, tmp_path: Path) -> None:
    state = site.state
    urls = {"s3": state.localstack_url, "sagemaker": state.sagemaker_url, "function": state.lambda_urls["filter"]}
    page = PAGE.format(bucket=BUCKET, schedule=json.dumps(json.dumps(SCHEDULE)), **urls)
    seen = report_of(page, host, tmp_path)
    assert site.changes() == ([], [], [])
    assert "START RequestId" not in (state.logs / "filter.log").read_text()
    sent = dict.fromkeys(("form", "text", "blob", "queue", "lambda"), "opaque")
    assert seen == sent | dict.fromkeys(("json", "read"), "blocked")


@pytest.mark.parametrize("part", ["sagemaker", "lambda", "localstack"])
def test_a_name_that_was_made_to_resolve_to_loopback_is_refused(part: str, site: Site, tmp_path: Path) -> None:
    url = {
        "sagemaker": f"{site.state.sagemaker_url}/_scones/health",
        "lambda": f"{site.state.lambda_urls['filter']}/health",
        "localstack": f"{site.state.localstack_url}/_localstack/health",
    }[part]
    shown = dom(url.replace("127.0.0.1", "evil.example"), tmp_path)
    assert "The host name 'evil.example:" in shown
    assert "is not allowed" in shown
