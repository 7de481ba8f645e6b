"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const words = data.words, nodes = data.nodes, links = data.links;
  const svg = document.getElementById("view"), card = document.getElementById("card");
  const NS = "http://www.w3.org/2000/svg";
  const COLORS = { owns: "#1f4e79", controls: "#7b1fa2", officer: "#2e7d32", invests: "#b26a00", guarantees: "#c62828",
    lends: "#c62828", raises_on: "#b26a00", kin: "#616161", same_as: "#616161", concert: "#7b1fa2" };
  const DASHES = { officer: "6 3", guarantees: "8 3 2 3", lends: "2 3", raises_on: "2 3", same_as: "2 4", kin: "5 4", concert: "6 3" };
  const make = (name, attributes, parent) => {
    const element = document.createElementNS(NS, name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    if (parent) parent.appendChild(element);
    return element;
  };
  const html = (name, text, parent) => {
    const element = document.createElement(name);
    if (text !== "") element.textContent = text;
    if (parent) parent.appendChild(element);
    return element;
  };

  // state ---------------------------------------------------------------------------------------------------------
  const around = nodes.map(() => []);
  links.forEach((link, place) => { around[link.a].push(place); if (link.b !== link.a) around[link.b].push(place); });
  const shown = new Set(data.first);
  const kinds = new Set(Object.keys(data.kinds));
  let least = 0, day = data.day, picked = data.focus;
  const view = { x: 0, y: 0, k: 1 };

  // drawing -------------------------------------------------------------------------------------------------------
  const defs = make("defs", {}, svg);
  const marker = make("marker", { id: "tip", viewBox: "0 0 8 8", refX: 8, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto-start-reverse" }, defs);
  make("path", { d: "M0 0L8 4L0 8z", fill: "#57606a" }, marker);
  const world = make("g", {}, svg), lineLayer = make("g", {}, world), nodeLayer = make("g", {}, world);
  const shade = risk => { const t = Math.max(0, Math.min(1, risk)); return `rgb(${Math.round(255 - 90 * t)},${Math.round(245 - 225 * t)},${Math.round(240 - 215 * t)})`; };
  const seen = place => shown.has(place) && (nodes[place].risk >= least || nodes[place].cases.length > 0 || place === picked);
  const current = link => day === "" || ((link.start === "" || link.start <= day) && (link.end === "" || link.end > day));
  const move = () => world.setAttribute("transform", `translate(${view.x},${view.y}) scale(${view.k})`);
  const bend = {};
  links.forEach(link => { const key = Math.min(link.a, link.b) + "-" + Math.max(link.a, link.b); link.turn = bend[key] = (bend[key] ?? -1) + 1; });

  function draw() {
    lineLayer.replaceChildren(); nodeLayer.replaceChildren();
    for (const link of links) {
      if (!kinds.has(link.kind) || !seen(link.a) || !seen(link.b) || !current(link)) continue;
      const p = nodes[link.a], q = nodes[link.b];
      const dx = q.x - p.x, dy = q.y - p.y, far = Math.hypot(dx, dy) || 1;
      const side = (link.turn % 2 ? -1 : 1) * Math.ceil(link.turn / 2) * 14;
      const mx = (p.x + q.x) / 2 - side * dy / far, my = (p.y + q.y) / 2 + side * dx / far;
      const ex = q.x - 11 * dx / far, ey = q.y - 11 * dy / far;
      const line = make("path", { d: link.a === link.b ? `M${p.x} ${p.y - 8}c-30 -40 30 -40 2 0` : `M${p.x} ${p.y}Q${mx} ${my} ${ex} ${ey}`,
        class: "link", stroke: COLORS[link.kind] || "#757575", "stroke-dasharray": DASHES[link.kind] || "none", "marker-end": "url(#tip)" }, lineLayer);
      make("title", {}, line).textContent = `${p.name} → ${q.name}: ${link.text}`;
    }
    for (let place = 0; place < nodes.length; place++) {
      if (!seen(place)) continue;
      const node = nodes[place];
      const look = "node" + (node.cases.length ? " seed" : "") + (place === picked ? " picked" : "");
      const shape = node.kind === "person" ? make("circle", { cx: node.x, cy: node.y, r: 8 }, nodeLayer)
        : node.kind === "product" ? make("path", { d: `M${node.x} ${node.y - 10}l10 10l-10 10l-10 -10z` }, nodeLayer)
        : make("rect", { x: node.x - 8, y: node.y - 8, width: 16, height: 16, rx: node.kind === "company" ? 0 : 5 }, nodeLayer);
      shape.setAttribute("class", look); shape.setAttribute("fill", shade(node.risk)); shape.setAttribute("data-place", place);
      make("title", {}, shape).textContent = node.name;
      shape.addEventListener("click", () => pick(place, false));
      shape.addEventListener("dblclick", () => expand(place));
      const letters = Array.from(node.name);
      make("text", { x: node.x, y: node.y + 20 }, nodeLayer).textContent = letters.length > 12 ? letters.slice(0, 11).join("") + "…" : node.name;
    }
    move();
  }

  function fit() {
    const here = nodes.filter((_, place) => seen(place));
    if (!here.length) return;
    const xs = here.map(n => n.x), ys = here.map(n => n.y), box = svg.getBoundingClientRect();
    const [x0, x1, y0, y1] = [Math.min(...xs) - 40, Math.max(...xs) + 40, Math.min(...ys) - 40, Math.max(...ys) + 40];
    view.k = Math.min(box.width / (x1 - x0), box.height / (y1 - y0), 2.5);
    view.x = box.width / 2 - view.k * (x0 + x1) / 2; view.y = box.height / 2 - view.k * (y0 + y1) / 2;
    move();
  }

  function center(place) {
    const box = svg.getBoundingClientRect(), node = nodes[place];
    view.k = Math.max(view.k, 1); view.x = box.width / 2 - view.k * node.x; view.y = box.height / 2 - view.k * node.y;
  }

  function expand(place) {
    for (const l of around[place]) { shown.add(links[l].a); shown.add(links[l].b); }
    pick(place, false);
  }

  function pick(place, go) {
    picked = place; shown.add(place);
    if (go) center(place);
    draw();
    const node = nodes[place];
    card.replaceChildren();
    html("h2", node.name, card);
    html("p", `${node.kind} · ${node.id}`, card).className = "soft";
    if (node.sector) html("p", `${words.sector}: ${node.sector}`, card);
    html("p", `${words.score}: ${node.risk.toFixed(3)}`, card);
    if (node.note) html("p", node.note, card);
    if (node.cases.length) { html("h3", words.cases, card); const list = html("ul", "", card); node.cases.forEach(text => html("li", text, list)); }
    const unseen = around[place].filter(l => !shown.has(links[l].a) || !shown.has(links[l].b)).length;
    if (unseen) { const button = html("button", `${words.expand} (${unseen})`, card); button.id = "expand"; button.addEventListener("click", () => expand(place)); }
    html("h3", words.relations, card);
    const list = html("ul", "", card);
    for (const l of around[place].slice(0, 200)) {
      const link = links[l], other = link.a === place ? link.b : link.a;
      const item = html("li", "", list);
      if (!current(link)) item.className = "gone";
      html("span", link.a === place ? "→ " : "← ", item);
      const name = html("a", nodes[other].name, item);
      name.addEventListener("click", () => pick(other, true));
      const dates = link.start || link.end ? ` (${link.start}${link.end ? ` ${words.until} ${link.end}` : " –"})` : "";
      html("span", ` ${link.text}${dates}`, item);
      if (link.ref) html("div", `${words.source}: ${link.ref}`, item).className = "soft";
    }
  }

  // tools ---------------------------------------------------------------------------------------------------------
  const tools = document.getElementById("tools");
  const search = html("input", "", tools);
  search.id = "search"; search.type = "search"; search.placeholder = words.search; search.setAttribute("list", "names");
  const names = html("datalist", "", tools); names.id = "names";
  nodes.slice(0, 2000).forEach(node => { html("option", "", names).value = node.name; });
  const answer = html("span", "", tools); answer.id = "answer"; answer.className = "soft";
  search.addEventListener("change", () => {
    const wanted = search.value.trim().toLowerCase();
    if (!wanted) return;
    let place = nodes.findIndex(node => node.name.toLowerCase() === wanted || node.id.toLowerCase() === wanted);
    if (place < 0) place = nodes.findIndex(node => node.name.toLowerCase().includes(wanted));
    answer.textContent = place < 0 ? words.none : "";
    if (place >= 0) pick(place, true);
  });
  const riskLabel = html("label", words.risk, tools), risk = html("input", "", riskLabel), riskText = html("span", "0.00", riskLabel);
  Object.assign(risk, { type: "range", min: 0, max: 1, step: 0.01, value: 0, id: "risk" });
  risk.addEventListener("input", () => { least = Number(risk.value); riskText.textContent = least.toFixed(2); draw(); });
  const dateLabel = html("label", words.date, tools), date = html("input", "", dateLabel);
  Object.assign(date, { type: "date", value: day, id: "date" });
  date.addEventListener("change", () => { day = date.value; draw(); if (picked >= 0) pick(picked, false); });
  const box = html("details", "", tools); html("summary", words.kinds, box);
  const panel = html("div", "", box);
  for (const kind in data.kinds) {
    const label = html("label", "", panel), tick = html("input", "", label);
    Object.assign(tick, { type: "checkbox", checked: true, value: kind });
    html("span", data.kinds[kind], label);
    tick.addEventListener("change", () => { if (tick.checked) kinds.add(kind); else kinds.delete(kind); draw(); });
  }
  html("button", words.fit, tools).addEventListener("click", fit);
  const all = html("button", words.all, tools); all.id = "all";
  all.addEventListener("click", () => { nodes.forEach((_, place) => shown.add(place)); draw(); fit(); });
  if (data.left) html("span", `${words.left}: ${data.left}`, tools).className = "soft";

  let held = null;
  svg.addEventListener("pointerdown", event => { if (!event.target.hasAttribute("data-place")) { held = [event.clientX - view.x, event.clientY - view.y]; svg.setPointerCapture(event.pointerId); } });
  svg.addEventListener("pointermove", event => { if (held) { view.x = event.clientX - held[0]; view.y = event.clientY - held[1]; move(); } });
  svg.addEventListener("pointerup", () => { held = null; });
  svg.addEventListener("wheel", event => {
    event.preventDefault();
    const bounds = svg.getBoundingClientRect(), px = event.clientX - bounds.left, py = event.clientY - bounds.top;
    const factor = Math.exp(-event.deltaY * 0.0015), k = Math.min(8, Math.max(0.02, view.k * factor));
    view.x = px - (px - view.x) * k / view.k; view.y = py - (py - view.y) * k / view.k; view.k = k; move();
  }, { passive: false });

  html("p", words.hint, card).className = "soft";
  draw(); fit();
  if (data.focus >= 0) pick(data.focus, false);
  const ready = document.fonts && document.fonts.ready;
  if (ready) ready.then(draw);
})();
