"""The interactive page: self-contained, harmless for any name, and working in a browser."""

from __future__ import annotations

import json
import re

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


def two_thousand():
    """A forest of 2,000 firms, every fortieth under a case."""
    n = 2000
    ids = [f"C{i}" for i in range(n)]
    return rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ids, "kind": "company", "name": [f"虚构第{i}有限公司" for i in range(n)]}),
        pd.DataFrame({"source": [ids[i // 3] for i in range(1, n)], "target": ids[1:], "kind": "owns", "share": 0.5}),
        pd.DataFrame({"entity": ids[::40], "type": "banned"}),
    )


ACTS = """
  const out = {nodes: all(".node[data-place]").length, links: all("path.link").length};
  out.labels = all(".labels text").length; out.covered = meets(".labels text");
  change(at("search"), "rit", "input");
  out.answers = all("#answers button").map(each => each.textContent);
  key(at("search"), "Enter");
  out.card = all("#card h2")[0].textContent; out.hash = location.hash;
  out.sources = all("#relations li div").map(each => each.textContent);
  const kind = all("#kinds input")[0];
  kind.click(); out.filtered = all("path.link").length; kind.click();
  all("#legend .acts .link")[1].click(); out.none = all("path.link").length; all("#legend .acts .link")[0].click();
  change(at("risk"), 1, "input"); out.risky = all(".node[data-place]").length; change(at("risk"), 0, "input");
  change(at("date"), "1990-01-01", "change"); out.early = all("path.link").length; change(at("date"), "", "change");
  press(spot(0)); out.clicked = all("#card h2")[0].textContent;
  at("path") && at("path").click(); out.on = all("path.link.on").length;
  key(document.body, "Escape"); out.back = all("#card h2")[0].textContent;
  key(document.body, "/"); out.focus = document.activeElement.id;
  return out;
"""


def test_search_filter_and_click_in_a_browser(tmp_path, browse):
    graph = rg.datasets.toy_banned_platform()
    model = rg.propagate(graph)
    page = browse(rg.report.page(graph, tmp_path / "p.html", model=model, lang="en"), ACTS)
    seen = page.seen
    assert page.failures == []
    assert page.requests == []
    assert seen["nodes"] == len(graph)
    assert seen["links"] == len(graph.relations)
    assert seen["labels"] == len(graph)
    assert seen["covered"] == 0
    assert "Rita" in seen["answers"]
    assert seen["card"] == "Rita"
    assert seen["hash"].startswith("#")
    assert 0 < seen["filtered"] < seen["links"]
    assert seen["none"] == 0
    assert seen["risky"] == int((model.scores_ >= 1).sum()) + 1  # and the one that was picked
    assert seen["early"] < seen["links"] or graph.relations["start"].isna().all()
    assert seen["clicked"] == graph.names[0]
    assert seen["back"] == "where to look"
    assert seen["focus"] == "search"


def test_two_thousand_entities_in_a_browser(tmp_path, browse):
    graph = two_thousand()
    path = rg.report.page(graph, tmp_path / "p.html", scores=rg.propagate(graph).scores_)
    assert path.stat().st_size < 2_000_000
    page = browse(
        path,
        """
        const out = {first: all(".node[data-place]").length, covered: meets(".labels text")};
        press(spot(0)); const more = at("expand");
        out.hidden = more ? Number(more.textContent.match(/[0-9]+/)[0]) : 0;
        if (more) more.click(); out.expanded = all(".node[data-place]").length;
        const started = performance.now();
        at("all").click(); out.time = performance.now() - started;
        await pause();
        out.all = all(".node[data-place]").length; out.links = all("path.link").length;
        out.labels = all(".labels text").length; out.still = meets(".labels text");
        out.status = at("status").textContent;
        change(at("search"), "C1999", "input"); key(at("search"), "Enter"); await pause();
        out.card = all("#card h2")[0].textContent;
        at("path").click(); await pause(); out.on = all(".node.on").length;
        return out;
        """,
    )
    seen = page.seen
    assert page.failures == []
    assert page.requests == []
    assert seen["first"] == 120
    assert seen["expanded"] == seen["first"] + seen["hidden"]
    assert seen["all"] == len(graph)
    assert seen["links"] == len(graph.relations)
    assert seen["covered"] == seen["still"] == 0
    assert seen["labels"] > 20
    assert seen["status"].startswith(f"显示2000个主体（共2000个），标名{seen['labels']}个")
    assert seen["card"] == "虚构第1999有限公司"
    assert seen["on"] > 1
    assert seen["time"] < 5000, "milliseconds to draw everything"


def test_hostile_names_do_nothing_in_a_browser(tmp_path, browse):
    page = browse(
        rg.report.page(hostile(), tmp_path / "h.html", title=HOSTILE[0], notes=pd.Series({HOSTILE[0]: HOSTILE[1]})),
        f"""
        const out = {{names: []}};
        for (const name of {json.dumps(HOSTILE).replace("<", chr(92) + "u003c")}) {{
          change(at("search"), name, "input"); key(at("search"), "Enter");
          out.names.push(all("#card h2")[0].textContent);
        }}
        out.elements = all("img, iframe, a, link").length; out.scripts = all("script").length;
        return out;
        """,
    )
    assert page.failures == []
    assert page.requests == []
    shown = [name.replace("\u202e", "[U+202E]") for name in HOSTILE]
    assert page.seen == {"names": shown, "elements": 0, "scripts": 4}


def test_requests_and_failures_would_be_seen(tmp_path, browse):
    """The two tests above could fail: a page that asks and fails is caught."""
    text = rg.report.page(rg.datasets.toy_chain(), tmp_path / "p.html").read_text("utf-8")
    text = text.replace("default-src &#x27;none&#x27;", "img-src *", 1)
    (tmp_path / "p.html").write_text(text.replace("</h1>", '</h1><img src="http://one.invalid/x.png">', 1), "utf-8")
    page = browse(tmp_path / "p.html", "console.error('oh'); return {};")
    assert page.requests == ["http://one.invalid/x.png"]
    assert page.failures == ["error: oh"]
