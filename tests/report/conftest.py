"""A headless browser for pages: does what a reader does and tells what was seen, logged and requested."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import shutil
import subprocess
from types import SimpleNamespace

import pytest

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

#: before everything: what fails is kept
EARLY = """
window.failures = [];
addEventListener("error", event => failures.push(String(event.message)));
addEventListener("unhandledrejection", event => failures.push(String(event.reason)));
addEventListener("securitypolicyviolation", event => failures.push("policy: " + event.violatedDirective));
for (const name of ["log", "warn", "error", "info"]) console[name] = text => failures.push(name + ": " + text);
window.alert = text => failures.push("alert: " + text);
"""

#: after the page's own program: the acts, and what they saw goes into the document
LATE = """
const all = what => Array.from(document.querySelectorAll(what));
const at = id => document.getElementById(id);
const press = (where, times = 1) => {
  SVGElement.prototype.setPointerCapture = () => {};
  for (let i = 0; i < times; i++) for (const name of ["pointerdown", "pointerup"])
    where.dispatchEvent(new PointerEvent(name, {bubbles: true, button: 0, clientX: 5, clientY: 5, pointerId: 1}));
};
const change = (field, value, event) => { field.value = value; field.dispatchEvent(new Event(event)); };
const key = (where, name) =>
  where.dispatchEvent(new KeyboardEvent("keydown", {key: name, bubbles: true, cancelable: true}));
const spot = place => document.querySelector(`.node[data-place="${place}"]`);
const meets = what => { // pairs that cover each other by more than a pixel
  const boxes = all(what).map(each => each.getBoundingClientRect());
  let count = 0;
  boxes.forEach((a, i) => boxes.slice(i + 1).forEach(b => {
    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    if (across > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1) count++;
  }));
  return count;
};
const pause = () => new Promise(done => setTimeout(done, 60));
addEventListener("load", async () => {
  for (let i = 0; i < 100 && !document.body.dataset.ready; i++) await pause();
  await pause();
  let seen;
  try { seen = await (async () => { ACTS })(); } catch (failure) { seen = {}; failures.push("acts: " + failure); }
  document.body.setAttribute("data-seen", JSON.stringify({seen, failures}));
});
"""


def script(text, program):
    """The document with one more script at its place, and its hash in the policy."""
    mark = f"'sha256-{base64.b64encode(hashlib.sha256(program.encode()).digest()).decode()}'"
    return text.replace("script-src ", f"script-src {html.escape(mark, quote=True)} ", 1), f"<script>{program}</script>"


@pytest.fixture
def browse(tmp_path):
    """``browse(path, acts)`` opens a copy of a page under its own policy: what it saw, what failed, what it asked."""
    if BROWSER is None:
        pytest.skip("no Chromium on this machine to open the page in")

    def run(path, acts="return {};"):
        text = path.read_text("utf-8")
        text, early = script(text, EARLY)
        text, late = script(text, LATE.replace("ACTS", acts))
        copy = path.with_suffix(".acts.html")
        text = text.replace("<title>", f"{early}<title>", 1)
        before, close, after = text.rpartition("</body>")
        copy.write_text(f"{before}{late}{close}{after}", "utf-8")
        log = tmp_path / "net.json"
        quiet = ["background-networking", "component-update", "sync", "quic", "gpu"]
        command = [BROWSER, "--headless", "--no-sandbox", "--no-first-run", *(f"--disable-{part}" for part in quiet)]
        command += ["--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path / 'profile'}"]
        command += [f"--log-net-log={log}", "--window-size=1200,800", "--virtual-time-budget=20000", "--dump-dom"]
        out = subprocess.run([*command, copy.as_uri()], capture_output=True, text=True, timeout=120, check=True).stdout
        found = re.search(r'data-seen="(.*?)"', out, re.DOTALL)
        assert found, "the acts did not come to their end"
        told = json.loads(html.unescape(found.group(1)))
        return SimpleNamespace(**told, requests=requests_of(log))

    return run


def requests_of(log):
    """Addresses that the page asked for; those of the browser itself have no origin."""
    text = log.read_text("utf-8")
    if not text.rstrip().endswith("}"):  # a browser that is stopped leaves the list open
        text = text.rstrip().rstrip(",") + "]}"
    data = json.loads(text)
    start = data["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
    asked = [event["params"] for event in data["events"] if event["type"] == start and "url" in event.get("params", {})]
    return [
        each["url"] for each in asked
        if each.get("initiator") != "not an origin" and not each["url"].startswith(("file:", "data:", "blob:"))
    ]  # fmt: skip
