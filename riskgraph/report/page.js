"use strict";
// One page, no library. State → draw() → SVG; labels are placed after every move so that none covers another or an entity.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { words, nodes, links, looks } = data;
  const at = id => document.getElementById(id);
  const svg = at("view"), card = at("card"), status = at("status"), tools = at("tools"), legend = at("legend");
  const NS = "http://www.w3.org/2000/svg";
  const make = (name, attributes, parent) => {
    const element = document.createElementNS(NS, name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    if (parent) parent.appendChild(element);
    return element;
  };
  const html = (name, text, parent, properties) => {
    const element = document.createElement(name);
    if (text !== "") element.textContent = text;
    if (parent) parent.appendChild(element);
    return Object.assign(element, properties || {});
  };
  // characters that turn the reading direction could make a name look like another
  const plain = text => text.replace(/[\u202a-\u202e\u2066-\u2069]/g, c => `[U+${c.codePointAt(0).toString(16).toUpperCase()}]`);
  const fill = (text, ...values) => values.reduce((t, v, i) => t.replaceAll(`{${i}}`, v), text);

  // state ---------------------------------------------------------------------------------------------------------
  nodes.forEach(node => { node.label = plain(node.name); });
  const around = nodes.map(() => []);
  links.forEach((link, place) => { around[link.a].push(place); if (link.b !== link.a) around[link.b].push(place); });
  const first = new Set(data.first), shown = new Set(data.first);
  const kinds = new Set(Object.keys(looks.lines)), sorts = new Set(Object.keys(looks.shapes));
  let least = 0, day = data.day, picked = -1, path = { nodes: new Set(), links: new Set() };
  const view = { x: 0, y: 0, k: 1 };
  const turns = {};
  links.forEach(link => { const key = Math.min(link.a, link.b) + "-" + Math.max(link.a, link.b); link.turn = turns[key] = (turns[key] ?? -1) + 1; });
  const current = link => day === "" || ((link.start === "" || link.start <= day) && (link.end === "" || link.end > day));
  const seen = place => shown.has(place) && (place === picked || path.nodes.has(place)
    || (sorts.has(nodes[place].kind) && (nodes[place].risk >= least || nodes[place].cases.length > 0)));
  const drawn = place => { const link = links[place]; return kinds.has(link.kind) && seen(link.a) && seen(link.b) && current(link); };

  // drawing -------------------------------------------------------------------------------------------------------
  const defs = make("defs", {}, svg);
  const tips = {};
  for (const kind in looks.lines) {
    const color = looks.lines[kind].color;
    if (color in tips) continue;
    tips[color] = "tip" + Object.keys(tips).length;
    const marker = make("marker", { id: tips[color], viewBox: "0 0 8 8", refX: 7.5, refY: 4, markerWidth: 8, markerHeight: 8, markerUnits: "userSpaceOnUse", orient: "auto" }, defs);
    make("path", { d: "M0 0.6L8 4L0 7.4z", fill: color }, marker);
  }
  const world = make("g", {}, svg), lineLayer = make("g", {}, world), nodeLayer = make("g", {}, world), textLayer = make("g", { class: "labels" }, svg);
  const shade = risk => { const i = Math.min(looks.risk.length - 1, Math.max(0, Math.round(risk * (looks.risk.length - 1)))); return looks.risk[i]; };
  const outline = kind => { const corners = looks.shapes[kind].corners; return corners.length ? "M" + corners.map(([x, y]) => `${8 * x} ${-8 * y}`).join("L") + "z" : "M-8 0a8 8 0 1 0 16 0a8 8 0 1 0 -16 0z"; };
  const swatch = (parent, kind) => { const line = looks.lines[kind], s = make("svg", { class: "swatch", width: 34, height: 10, "aria-hidden": "true" }, parent); make("line", { x1: 1, x2: 33, y1: 5, y2: 5, stroke: line.color, "stroke-width": line.width, "stroke-dasharray": line.dash.join(" ") || "none" }, s); };
  let nearby = new Set(); // the picked one and what its drawn relations reach
  const near = place => nearby.has(place);

  function bow(link) { // middle of a link, aside where several join the same two
    const p = nodes[link.a], q = nodes[link.b], dx = q.x - p.x, dy = q.y - p.y, far = Math.hypot(dx, dy) || 1;
    const side = (link.turn % 2 ? -1 : 1) * Math.ceil(link.turn / 2) * 16 * (link.a < link.b ? 1 : -1);
    return { x: (p.x + q.x) / 2 - side * dy / far, y: (p.y + q.y) / 2 + side * dx / far };
  }

  function draw() {
    lineLayer.replaceChildren(); nodeLayer.replaceChildren();
    const lit = picked >= 0 || path.nodes.size > 0;
    nearby = new Set(picked < 0 ? [] : [picked, ...around[picked].filter(drawn).flatMap(l => [links[l].a, links[l].b])]);
    links.forEach((link, place) => {
      if (!drawn(place)) return;
      const p = nodes[link.a], q = nodes[link.b], m = bow(link);
      const dx = q.x - m.x, dy = q.y - m.y, far = Math.hypot(dx, dy) || 1, ex = q.x - 11 * dx / far, ey = q.y - 11 * dy / far;
      const look = looks.lines[link.kind], on = path.links.has(place), dim = lit && !on && link.a !== picked && link.b !== picked;
      const line = make("path", { d: link.a === link.b ? `M${p.x - 3} ${p.y - 8}c-26 -38 32 -38 6 0` : `M${p.x} ${p.y}Q${m.x} ${m.y} ${ex} ${ey}`,
        class: "link" + (on ? " on" : "") + (dim ? " dim" : ""), stroke: look.color, "stroke-width": look.width, "stroke-dasharray": look.dash.join(" ") || "none", "data-link": place }, lineLayer);
      if (!link.both) line.setAttribute("marker-end", `url(#${tips[look.color]})`);
      make("title", {}, line).textContent = plain(`${p.name} → ${q.name}: ${link.text}`);
    });
    nodes.forEach((node, place) => {
      if (!seen(place)) return;
      const group = make("g", { class: "spot" + (lit && !path.nodes.has(place) && !near(place) ? " dim" : ""), transform: `translate(${node.x},${node.y})`, "data-place": place }, nodeLayer);
      make("path", { d: outline(node.kind), class: "node" + (node.cases.length ? " seed" : "") + (place === picked ? " picked" : "") + (path.nodes.has(place) ? " on" : ""), fill: shade(node.risk), "data-place": place }, group);
      make("title", {}, group).textContent = `${node.label} · ${node.risk.toFixed(3)}`;
    });
    move();
  }

  // labels: the picked one, the path, cases, then by risk and degree; one that would cover another waits for a closer view
  const pen = document.createElement("canvas").getContext("2d");
  const widths = new Map();
  function width(text) {
    if (!widths.has(text)) { pen.font = `11px ${getComputedStyle(document.body).fontFamily}`; widths.set(text, pen.measureText(text).width); }
    return widths.get(text);
  }
  const cut = text => { const letters = Array.from(text); return letters.length > 16 ? letters.slice(0, 15).join("") + "…" : text; };
  let named = 0;
  function label() {
    textLayer.replaceChildren();
    const box = svg.getBoundingClientRect(), cells = new Map(), size = 60;
    const free = (x0, y0, x1, y1) => { for (let i = Math.floor(x0 / size); i <= x1 / size; i++) for (let j = Math.floor(y0 / size); j <= y1 / size; j++) for (const r of cells.get(i + "," + j) || []) if (r[0] < x1 && r[2] > x0 && r[1] < y1 && r[3] > y0) return false; return true; };
    const take = (...r) => { for (let i = Math.floor(r[0] / size); i <= r[2] / size; i++) for (let j = Math.floor(r[1] / size); j <= r[3] / size; j++) { const key = i + "," + j; if (!cells.has(key)) cells.set(key, []); cells.get(key).push(r); } };
    const put = (text, x, y, look) => {
      const half = width(text) / 2 + 2;
      if (x + half < 0 || y < -20 || x - half > box.width || y > box.height + 20 || !free(x - half, y - 11, x + half, y + 4)) return false;
      take(x - half, y - 11, x + half, y + 4);
      make("text", { x, y, class: look }, textLayer).textContent = text;
      return true;
    };
    const r = 9 * scale() * view.k;
    const worth = place => (place === picked ? 8 : 0) + (path.nodes.has(place) ? 4 : 0) + (near(place) ? 2.5 : 0) + (nodes[place].cases.length ? 1.2 : 0) + nodes[place].risk + Math.min(0.5, around[place].length / 100);
    const here = nodes.map((_, place) => place).filter(seen);
    const lit = picked >= 0 || path.nodes.size > 0, bright = place => !lit || near(place) || path.nodes.has(place);
    named = 0;
    for (const group of [here.filter(bright), here.filter(place => !bright(place))]) { // what is lit is named first
      group.forEach(place => { const x = view.x + view.k * nodes[place].x, y = view.y + view.k * nodes[place].y; take(x - 0.7 * r, y - 0.7 * r, x + 0.7 * r, y + 0.7 * r); });
      const order = group.map(place => [worth(place), place]).sort((a, b) => b[0] - a[0] || a[1] - b[1]);
      for (const [, place] of order) {
        const node = nodes[place], x = view.x + view.k * node.x, y = view.y + view.k * node.y, text = cut(node.label);
        const look = place === picked || path.nodes.has(place) ? "strong" : bright(place) ? "" : "dim";
        if (put(text, x, y + r + 11, look) || put(text, x, y - r - 5, look) || put(text, x + r + width(text) / 2 + 4, y + 4, look) || put(text, x - r - width(text) / 2 - 4, y + 4, look)) named++;
      }
    }
    links.forEach((link, place) => { // shares and amounts: of what is picked, of the path, of everything from near by
      if (!link.short || !drawn(place) || !(path.links.has(place) || link.a === picked || link.b === picked || view.k > 1.5)) return;
      const m = bow(link), p = nodes[link.a], q = nodes[link.b];
      put(link.short, view.x + view.k * (p.x + 2 * m.x + q.x) / 4, view.y + view.k * (p.y + 2 * m.y + q.y) / 4 + 4, "share");
    });
    status.textContent = fill(words.status, here.length, nodes.length, named) + (data.left ? " " + fill(words.left, data.left) : "");
  }
  const scale = () => Math.min(2.2, Math.max(0.45, 1 / Math.sqrt(view.k))) ;
  let waiting = 0;
  function move() {
    world.setAttribute("transform", `translate(${view.x},${view.y}) scale(${view.k})`);
    world.style.setProperty("--size", scale());
    if (!waiting) waiting = requestAnimationFrame(() => { waiting = 0; label(); });
  }

  function fit(places) {
    const here = places ? places.map(place => nodes[place]) : nodes.filter((_, place) => seen(place));
    if (!here.length) return;
    const xs = here.map(n => n.x), ys = here.map(n => n.y), box = svg.getBoundingClientRect();
    const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const room = [Math.max(60, box.width - 190), Math.max(60, box.height - 90)]; // a margin for names
    view.k = Math.min(room[0] / Math.max(x1 - x0, 1), room[1] / Math.max(y1 - y0, 1), 2.5);
    view.x = box.width / 2 - view.k * (x0 + x1) / 2; view.y = box.height / 2 - view.k * (y0 + y1) / 2;
    move();
  }
  function zoom(factor, px, py) {
    const k = Math.min(8, Math.max(0.02, view.k * factor));
    view.x = px - (px - view.x) * k / view.k; view.y = py - (py - view.y) * k / view.k; view.k = k; move();
  }
  function center(place) {
    const box = svg.getBoundingClientRect(), node = nodes[place];
    view.k = Math.max(view.k, 0.9); view.x = box.width / 2 - view.k * node.x; view.y = box.height / 2 - view.k * node.y;
  }

  // what a reader does --------------------------------------------------------------------------------------------
  const neighbours = place => around[place].flatMap(l => [links[l].a, links[l].b]);
  function expand(place) { neighbours(place).forEach(other => shown.add(other)); pick(place, false); }
  function only(place) { shown.clear(); shown.add(place); neighbours(place).forEach(other => shown.add(other)); pick(place, false); fit([...shown]); }
  function clear() { path = { nodes: new Set(), links: new Set() }; picked = -1; history.replaceState(null, "", location.pathname); draw(); overview(); }
  function show(found) { // a path as places of links
    path = { nodes: new Set(found.flatMap(l => [links[l].a, links[l].b])), links: new Set(found) };
    path.nodes.forEach(place => shown.add(place));
    draw(); fit([...path.nodes]);
  }
  function nearest(place) { // fewest relations to an entity under a case, over what is ticked and in force
    const from = new Map([[place, -1]]), queue = [place];
    for (let i = 0; i < queue.length; i++) {
      const here = queue[i];
      if (i && nodes[here].cases.length) { const way = []; for (let n = here; n !== place;) { const l = from.get(n); way.push(l); n = links[l].a === n ? links[l].b : links[l].a; } return way; }
      for (const l of around[here]) { const link = links[l], other = link.a === here ? link.b : link.a; if (kinds.has(link.kind) && current(link) && !from.has(other)) { from.set(other, l); queue.push(other); } }
    }
    return [];
  }

  function button(text, parent, act, look) { const b = html("button", text, parent, { type: "button", className: look || "" }); b.addEventListener("click", act); return b; }

  function overview() {
    card.replaceChildren();
    html("h2", words.overview, card);
    html("p", words.hint, card, { className: "soft" });
    const rank = (title, places) => { if (!places.length) return; html("h3", title, card); const list = html("ul", "", card); places.slice(0, 40).forEach(place => { const item = html("li", "", list); button(nodes[place].label, item, () => pick(place, true), "link"); html("span", nodes[place].risk > 0 ? ` ${nodes[place].risk.toFixed(3)}` : "", item, { className: "soft" }); }); };
    const all = nodes.map((_, place) => place), byRisk = (a, b) => nodes[b].risk - nodes[a].risk || a - b;
    rank(words.cases, all.filter(place => nodes[place].cases.length).sort(byRisk));
    rank(words.riskiest, all.filter(place => !nodes[place].cases.length && nodes[place].risk > 0).sort(byRisk));
  }

  function pick(place, go) {
    const fresh = place !== picked;
    picked = place; shown.add(place);
    if (fresh && !path.nodes.has(place)) path = { nodes: new Set(), links: new Set() };
    if (go) center(place);
    draw();
    history.replaceState(null, "", "#" + encodeURIComponent(nodes[place].id));
    const node = nodes[place];
    card.replaceChildren();
    button(words.back, card, clear, "link").id = "back";
    html("h2", node.label, card);
    html("p", `${looks.shapes[node.kind].name} · ${plain(node.id)}${node.sector ? " · " + plain(node.sector) : ""}`, card, { className: "soft" });
    if (data.scored) html("p", `${words.score} ${node.risk.toFixed(3)}`, card, { className: "score" });
    if (node.note) html("p", plain(node.note), card, { className: "note" });
    if (node.cases.length) { html("h3", words.cases, card); const list = html("ul", "", card, { className: "alarm" }); node.cases.forEach(text => html("li", plain(text), list)); }
    const acts = html("p", "", card, { className: "acts" });
    const unseen = new Set(neighbours(place).filter(other => !shown.has(other))).size;
    if (unseen) button(fill(words.expand, unseen), acts, () => expand(place)).id = "expand";
    button(words.only, acts, () => only(place)).id = "only";
    const way = node.path.length ? node.path : node.cases.length ? [] : nearest(place);
    if (way.length) button(node.path.length ? words.mainPath : words.nearest, acts, () => show(way)).id = "path";
    html("h3", `${words.relations} (${around[place].length})`, card);
    const list = html("ul", "", card, { id: "relations" });
    const fillList = most => {
      list.replaceChildren();
      for (const l of around[place].slice(0, most)) {
        const link = links[l], other = link.a === place ? link.b : link.a, item = html("li", "", list);
        if (!current(link)) item.className = "gone";
        swatch(item, link.kind);
        html("span", link.both ? "— " : link.a === place ? "→ " : "← ", item);
        button(nodes[other].label, item, () => pick(other, true), "link");
        const dates = link.start || link.end ? ` (${link.start}${link.end ? ` ${words.until} ${link.end}` : ` ${words.since}`})` : "";
        html("span", ` ${plain(link.text)}${dates}`, item);
        if (link.ref) html("div", `${words.source} ${plain(link.ref)}`, item, { className: "soft" });
      }
      if (around[place].length > most) button(fill(words.more, around[place].length - most), list, () => fillList(around[place].length));
    };
    fillList(100);
  }

  // tools ---------------------------------------------------------------------------------------------------------
  const search = html("input", "", tools, { id: "search", type: "search", placeholder: words.search, autocomplete: "off" });
  search.setAttribute("aria-label", words.search);
  const answers = html("ul", "", tools, { id: "answers", hidden: true });
  function matches() {
    const wanted = search.value.trim().toLowerCase();
    if (!wanted) return [];
    const score = node => { const name = node.name.toLowerCase(), id = node.id.toLowerCase(); return name === wanted || id === wanted ? 0 : name.startsWith(wanted) ? 1 : name.includes(wanted) ? 2 : id.includes(wanted) ? 3 : 9; };
    return nodes.map((node, place) => [score(node), -node.risk, place]).filter(([s]) => s < 9).sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]).map(([, , place]) => place);
  }
  const chosen = place => { answers.hidden = true; pick(place, true); };
  search.addEventListener("input", () => {
    const found = matches();
    answers.replaceChildren(); answers.hidden = !search.value.trim();
    if (!found.length) html("li", words.none, answers, { className: "soft" });
    found.slice(0, 12).forEach(place => button(nodes[place].label, html("li", "", answers), () => chosen(place), "link"));
    if (found.length > 12) html("li", fill(words.more, found.length - 12), answers, { className: "soft" });
  });
  search.addEventListener("keydown", event => { if (event.key === "Enter") { event.preventDefault(); const found = matches(); if (found.length) chosen(found[0]); } else if (event.key === "Escape") { answers.hidden = true; } });
  const field = (text, properties) => { const box = html("label", text, tools), input = html("input", "", box, properties), value = html("output", "", box); return { input, value }; };
  if (data.scored) {
    const risk = field(words.risk, { type: "range", min: 0, max: 1, step: 0.01, value: 0, id: "risk" });
    risk.value.textContent = "0.00";
    risk.input.addEventListener("input", () => { least = Number(risk.input.value); risk.value.textContent = least.toFixed(2); draw(); });
  }
  const date = field(words.date, { type: "date", value: day, id: "date" });
  date.input.addEventListener("change", () => { day = date.input.value; draw(); if (picked >= 0) pick(picked, false); });
  button(words.fit, tools, () => fit()).id = "fit";
  button(words.all, tools, () => { nodes.forEach((_, place) => shown.add(place)); draw(); fit(); }).id = "all";
  button(words.reset, tools, () => { shown.clear(); first.forEach(place => shown.add(place)); clear(); fit(); }).id = "reset";
  button(words.print, tools, () => print()).id = "print";

  // the key is the filter: what is ticked is drawn
  const tick = (parent, kind, set, text, sign) => {
    const box = html("label", "", parent), input = html("input", "", box, { type: "checkbox", checked: true, value: kind });
    sign(box); html("span", text, box);
    input.addEventListener("change", () => { if (input.checked) set.add(kind); else set.delete(kind); draw(); });
    return input;
  };
  html("summary", words.key, legend);
  const panel = html("div", "", legend, { id: "kinds" });
  const ticks = Object.keys(looks.lines).map(kind => tick(panel, kind, kinds, looks.lines[kind].name, box => swatch(box, kind)));
  const every = on => ticks.forEach(input => { if (input.checked !== on) input.click(); });
  const both = html("p", "", legend, { className: "acts" });
  button(words.everything, both, () => every(true), "link"); button(words.nothing, both, () => every(false), "link");
  const shapes = html("div", "", legend, { id: "sorts" });
  for (const kind in looks.shapes) tick(shapes, kind, sorts, looks.shapes[kind].name, box => make("path", { d: outline(kind), class: "node", transform: "translate(10,10) scale(.8)", fill: "#fff" }, make("svg", { class: "swatch", width: 20, height: 20, "aria-hidden": "true" }, box)));
  const signs = html("div", "", legend, { className: "soft" });
  const sign = (text, paint) => { const box = html("span", "", signs, { className: "sign" }); paint(make("svg", { class: "swatch", width: 60, height: 20, "aria-hidden": "true" }, box)); html("span", text, box); };
  if (data.scored) sign(words.scale, s => looks.risk.forEach((color, i) => make("rect", { x: 60 * i / looks.risk.length, y: 4, width: 60 / looks.risk.length + 0.5, height: 12, fill: color }, s)));
  if (nodes.some(node => node.cases.length)) sign(words.seed, s => make("path", { d: outline("company"), class: "node seed", transform: "translate(12,10)", fill: "#fff" }, s));

  // mouse, touch, keys --------------------------------------------------------------------------------------------
  let held = null;
  svg.addEventListener("pointerdown", event => {
    if (event.button) return;
    const spot = event.target.closest("[data-place]");
    held = { place: spot ? Number(spot.dataset.place) : -1, x: event.clientX, y: event.clientY, moved: false };
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", event => {
    if (!held) return;
    const dx = event.clientX - held.x, dy = event.clientY - held.y;
    if (!held.moved && Math.hypot(dx, dy) < 4) return;
    held.moved = true; held.x = event.clientX; held.y = event.clientY;
    if (held.place >= 0) { nodes[held.place].x += dx / view.k; nodes[held.place].y += dy / view.k; draw(); } else { view.x += dx; view.y += dy; move(); }
  });
  let last = { place: -1, time: 0 };
  svg.addEventListener("pointerup", event => {
    if (held && !held.moved && held.place >= 0) {
      const twice = last.place === held.place && event.timeStamp - last.time < 400;
      last = { place: held.place, time: event.timeStamp };
      if (twice) expand(held.place); else pick(held.place, false);
    }
    held = null;
  });
  svg.addEventListener("pointercancel", () => { held = null; });
  svg.addEventListener("wheel", event => { event.preventDefault(); const box = svg.getBoundingClientRect(); zoom(Math.exp(-event.deltaY * 0.0015), event.clientX - box.left, event.clientY - box.top); }, { passive: false });
  svg.addEventListener("keydown", event => {
    const box = svg.getBoundingClientRect(), step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
    if (step) { view.x += step[0]; view.y += step[1]; move(); } else if (event.key === "+" || event.key === "=") zoom(1.25, box.width / 2, box.height / 2);
    else if (event.key === "-") zoom(0.8, box.width / 2, box.height / 2); else if (event.key === "0") fit(); else if (event.key === "Enter" && picked >= 0) expand(picked); else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", event => {
    if (event.target === search) return;
    if (event.key === "Escape" && picked >= 0) clear();
    else if (event.key === "/") { event.preventDefault(); search.focus(); }
  });
  addEventListener("resize", () => label());
  addEventListener("beforeprint", () => fit());

  draw(); fit(); overview();
  const asked = decodeURIComponent(location.hash.slice(1)), start = asked ? nodes.findIndex(node => node.id === asked) : data.focus;
  if (start >= 0) { pick(start, asked !== ""); if (asked && nodes[start].path.length) show(nodes[start].path); }
  document.fonts.ready.then(() => { widths.clear(); if (picked < 0) fit(); label(); document.body.dataset.ready = "1"; });
})();
