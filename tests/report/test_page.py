"""The interactive page: self-contained, harmless for any name, and working in a browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"'`${x}",
    "a\u2028b\u0007",
    "\u202egnp.exe",
    "]]>",
]


def hostile():
    return rg.EntityGraph.from_tables(
        pd.DataFrame({"id": HOSTILE, "kind": "company", "name": HOSTILE}),
        pd.DataFrame({"source": HOSTILE[:-1], "target": HOSTILE[1:], "kind": "owns", "source_ref": HOSTILE[:-1]}),
        pd.DataFrame({"entity": HOSTILE[:1], "type": ["banned"], "source_ref": HOSTILE[:1]}),
    )


def data_of(text):
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL).group(1))


def test_page_is_self_contained_and_the_same_every_time(tmp_path):
    graph = rg.datasets.toy_banned_platform()
    scores = rg.propagate(graph).scores_
    first = rg.report.page(graph, tmp_path / "a.html", scores=scores).read_bytes()
    assert rg.report.page(graph, tmp_path / "b.html", scores=scores).read_bytes() == first
    text = first.decode()
    assert "default-src &#x27;none&#x27;" in text
    assert not re.findall(r'(?:src|href)="?https?:', text)
    data = data_of(text)
    assert [node["id"] for node in data["nodes"]] == list(graph.ids)
    assert len(data["links"]) == len(graph.relations) + len(graph.history)


def test_hostile_names_are_data(tmp_path):
    text = rg.report.page(hostile(), tmp_path / "h.html", title=HOSTILE[0]).read_text("utf-8")
    assert text.count("<script") == 2
    assert "onerror=alert" not in re.sub(r'id="data">.*?</script>', "", text, flags=re.DOTALL)
    assert [node["name"] for node in data_of(text)["nodes"]] == HOSTILE


def test_large_graphs_are_cut_and_say_so(tmp_path):
    n = 3000
    ids = [f"C{i}" for i in range(n)]
    graph = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ids, "kind": "company"}),
        pd.DataFrame({"source": ids[:-1], "target": ids[1:], "kind": "owns"}),
    )
    scores = pd.Series(np.linspace(0, 1, n), index=graph.ids)
    data = data_of(rg.report.page(graph, tmp_path / "p.html", scores=scores, max_nodes=200).read_text("utf-8"))
    assert len(data["nodes"]) == 200
    assert data["left"] == n - 200
    assert "C2999" in {node["id"] for node in data["nodes"]}


def test_parameters_are_checked(tmp_path):
    graph = rg.datasets.toy_chain()
    with pytest.raises(rg.InvalidParameter, match=r"'path' must end in \.html; got 'p\.pdf'"):
        rg.report.page(graph, tmp_path / "p.pdf")
    with pytest.raises(rg.InvalidParameter, match="'lang' must be 'zh' or 'en'"):
        rg.report.page(graph, tmp_path / "p.html", lang="xx")


BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

#: runs in the page after it has drawn: does what a reader does, and writes what happened into the document
ACTS = """
window.addEventListener("load", () => setTimeout(() => {
  const seen = {errors: window.failures, nodes: document.querySelectorAll(".node").length,
    links: document.querySelectorAll(".link").length};
  const search = document.getElementById("search");
  search.value = NAME; search.dispatchEvent(new Event("change"));
  seen.card = document.querySelector("#card h2").textContent;
  const tick = document.querySelector("#tools input[type=checkbox]");
  tick.click(); seen.filtered = document.querySelectorAll(".link").length; tick.click();
  const risk = document.getElementById("risk");
  risk.value = 1; risk.dispatchEvent(new Event("input"));
  seen.risky = document.querySelectorAll(".node").length;
  risk.value = 0; risk.dispatchEvent(new Event("input"));
  document.querySelector(".node").dispatchEvent(new MouseEvent("click", {bubbles: true}));
  seen.clicked = document.querySelector("#card h2").textContent;
  document.body.setAttribute("data-seen", JSON.stringify(seen));
}, 300));
"""


def act(path, name):
    """Open the page in a headless browser with the acts added to a copy of it, and return what they saw."""
    text = path.read_text("utf-8")
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)  # the copy runs one script more
    early = "<script>window.failures=[];window.addEventListener('error',e=>window.failures.push(e.message));</script>"
    acts = ACTS.replace("NAME", json.dumps(name).replace("<", "\\u003c"))
    path.with_suffix(".acts.html").write_text(
        text.replace("<head>", f"<head>{early}").replace("</body>", f"<script>{acts}</script></body>"), "utf-8"
    )
    out = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-quic", f"--user-data-dir={path.parent / 'profile'}",
         "--window-size=1200,800", "--virtual-time-budget=5000", "--dump-dom",
         path.with_suffix(".acts.html").as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    ).stdout  # fmt: skip
    import html

    return json.loads(html.unescape(re.search(r'data-seen="(.*?)"', out, re.DOTALL).group(1)))


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine to open the page in")
def test_search_filter_and_click_work_in_a_browser(tmp_path):
    graph = rg.datasets.toy_banned_platform()
    path = rg.report.page(graph, tmp_path / "p.html", scores=rg.propagate(graph).scores_)
    seen = act(path, "Rita")
    assert seen["errors"] == []
    assert seen["nodes"] == len(graph)
    assert seen["links"] == len(graph.relations)
    assert seen["card"] == "Rita"
    assert seen["filtered"] < seen["links"]
    assert seen["risky"] < seen["nodes"]
    assert seen["clicked"] in set(graph.names)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine to open the page in")
def test_hostile_names_do_nothing_in_a_browser(tmp_path):
    path = rg.report.page(hostile(), tmp_path / "h.html")
    seen = act(path, HOSTILE[0])
    assert seen["errors"] == []
    assert seen["card"] == HOSTILE[0]
