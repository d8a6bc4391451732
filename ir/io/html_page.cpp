#include <tandem/ir/io/html_page.h>

namespace tandem::io {

const std::string_view html_before_title = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>)html";

const std::string_view html_before_data = R"html(</title>
<style>
  :root { --line: #ccd3dd; --text: #1c2430; --soft: #66707f; --accent: #0b62c4; --page: #fff; --box: #f5f7fa; }
  @media (prefers-color-scheme: dark) {
    :root { --line: #3a4250; --text: #e4e8ee; --soft: #98a2b1; --accent: #6cb0ff; --page: #14181f; --box: #1d232c; }
  }
  * { box-sizing: border-box; }
  body { margin: 0; height: 100vh; display: grid; grid-template-columns: 22rem 1fr; font: 14px/1.45 system-ui, sans-serif;
         color: var(--text); background: var(--page); }
  aside { display: flex; flex-direction: column; border-right: 1px solid var(--line); min-height: 0; padding: .75rem; gap: .5rem; }
  h1 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
  input { width: 100%; padding: .4rem .5rem; font: inherit; color: inherit; background: var(--box); border: 1px solid var(--line);
          border-radius: 4px; }
  button { font: inherit; color: inherit; background: var(--box); border: 1px solid var(--line); border-radius: 4px; cursor: pointer; }
  #found { overflow: auto; max-height: 35vh; flex: none; }
  #details { overflow: auto; flex: 1; border-top: 1px solid var(--line); padding-top: .5rem; overflow-wrap: anywhere; }
  #found a, #details a { display: block; color: var(--accent); text-decoration: none; cursor: pointer; }
  dt { color: var(--soft); margin-top: .4rem; } dd { margin: 0; font-family: ui-monospace, monospace; font-size: 12px; }
  .soft { color: var(--soft); }
  svg { width: 100%; height: 100vh; cursor: grab; background: var(--page); }
  .item rect { fill: var(--box); stroke: var(--line); rx: 5px; }
  .item { cursor: pointer; }
  .item text { fill: var(--text); font-size: 12px; text-anchor: middle; pointer-events: none; }
  .item .type { fill: var(--soft); font-size: 10px; }
  .group rect { stroke-width: 2; stroke-dasharray: 5 3; }
  .fused rect { stroke: var(--accent); stroke-width: 2; }
  .selected rect { stroke: var(--accent); stroke-width: 3; }
  path { fill: none; stroke: var(--line); }
  path.near { stroke: var(--accent); stroke-width: 2; }
</style>
</head>
<body>
<aside>
  <h1 id="title"></h1>
  <div id="summary" class="soft"></div>
  <input id="search" type="search" placeholder="Search name, op, type or scope" aria-label="Search">
  <div id="found"></div>
  <div><button id="collapse">Collapse all</button> <button id="fit">Fit</button></div>
  <div id="details"><span class="soft">Click a node for its details, a dashed box to open it. Shift-click closes the scope of a node.
    Drag to move, scroll to zoom.</span></div>
</aside>
<svg id="view" role="img" aria-label="The graph"><g id="scene"></g></svg>
<script type="application/json" id="data">)html";

const std::string_view html_after_data = R"html(</script>
<script>
"use strict";
// Scopes are boxes that open; what is visible is laid out in layers by the longest path.
const data = JSON.parse(document.getElementById("data").textContent);
const { values, nodes, scopes } = data;
const $ = id => document.getElementById(id);
const svgns = "http://www.w3.org/2000/svg";
const open = new Set([0]);
let selected = null, items = [], itemOfNode = [];
const view = { x: 0, y: 0, k: 1 };

const users = values.map(() => []);
nodes.forEach((n, i) => n.in.forEach(v => users[v].push(i)));
const size = scopes.map(() => 0);
nodes.forEach(n => { for (let s = n.scope; ; s = scopes[s].parent) { size[s]++; if (s === 0) break; } });

function element(tag, attributes, parent, text) {
  const e = document.createElementNS(svgns, tag);
  for (const k in attributes) e.setAttribute(k, attributes[k]);
  if (text !== undefined) e.textContent = text;
  parent.appendChild(e);
  return e;
}
function short(text, n) { return text.length > n ? text.slice(0, n - 1) + "\u2026" : text; }

// The outermost closed scope around a node, or -1.
function closedScope(node) {
  let closed = -1;
  for (let s = nodes[node].scope; s !== 0; s = scopes[s].parent) if (!open.has(s)) closed = s;
  return closed;
}

function openScopes(limit) {
  let shown = scopes[0].children.length + scopes[0].direct;
  const queue = [...scopes[0].children];
  while (queue.length) {
    const s = queue.shift(), more = scopes[s].children.length + scopes[s].direct - 1;
    if (shown + more > limit) continue;
    shown += more;
    open.add(s);
    queue.push(...scopes[s].children);
  }
}

function layout() {
  items = [];
  itemOfNode = new Array(nodes.length);
  const groups = new Map();
  nodes.forEach((n, i) => {
    const s = closedScope(i);
    let item = s < 0 ? undefined : groups.get(s);
    if (!item) {
      item = { order: items.length, group: s, node: s < 0 ? i : -1, before: new Set(), after: new Set(), layer: 0 };
      items.push(item);
      if (s >= 0) groups.set(s, item);
    }
    itemOfNode[i] = item;
  });
  nodes.forEach((n, i) => n.in.forEach(v => {
    const from = values[v].node >= 0 ? itemOfNode[values[v].node] : null, to = itemOfNode[i];
    if (from && from !== to) { from.after.add(to); to.before.add(from); }
  }));
  const layers = [];
  for (const item of items) {  // in topological order but for groups that feed each other
    for (const b of item.before) if (b.order < item.order) item.layer = Math.max(item.layer, b.layer + 1);
    (layers[item.layer] ||= []).push(item);
  }
  for (const layer of layers) layer.forEach((item, i) => { item.width = 150; item.position = i; });
  for (let sweep = 0; sweep < 6; sweep++) {
    const down = sweep % 2 === 0;
    for (const layer of down ? layers : [...layers].reverse()) {
      for (const item of layer) {
        const near = [...(down ? item.before : item.after)];
        item.weight = near.length ? near.reduce((sum, b) => sum + b.position - layers[b.layer].length / 2, 0) / near.length
                                  : item.position - layer.length / 2;
      }
      layer.sort((a, b) => a.weight - b.weight || a.order - b.order);
      layer.forEach((item, i) => { item.position = i; });
    }
  }
  for (const layer of layers) {
    layer.forEach((item, i) => { item.x = (i - (layer.length - 1) / 2) * 180; item.y = item.layer * 80; });
  }
}

function draw() {
  const scene = $("scene");
  scene.replaceChildren();
  for (const item of items) {
    for (const to of item.after) {
      const y = item.y + 22, z = to.y - 22, m = (y + z) / 2;
      const path = element("path", { d: `M${item.x},${y}C${item.x},${m} ${to.x},${m} ${to.x},${z}` }, scene);
      path.ends = [item, to];
    }
  }
  for (const item of items) {
    const n = nodes[item.node], group = item.group >= 0;
    const g = element("g", { class: "item" + (group ? " group" : n.fused ? " fused" : ""),
                             transform: `translate(${item.x},${item.y})` }, scene);
    element("rect", { x: -80, y: -22, width: 160, height: 44 }, g);
    element("text", { y: -3 }, g, group ? short(scopes[item.group].name, 22) : short(n.op, 22));
    element("text", { y: 13, class: "type" }, g, group ? size[item.group] + " nodes" : n.out.length ? short(values[n.out[0]].type, 26) : "");
    element("title", {}, g, group ? scopes[item.group].path : n.op + " " + n.out.map(v => "%" + values[v].name).join(", "));
    g.onclick = event => {
      if (moved) return;
      if (group) { open.add(item.group); refresh(); }
      else if (event.shiftKey) { if (n.scope) { open.delete(n.scope); refresh(); } }
      else select(item.node);
    };
    item.shape = g;
  }
  mark();
}
function refresh() { layout(); draw(); place(); }
function place() { $("scene").setAttribute("transform", `translate(${view.x},${view.y}) scale(${view.k})`); }
function mark() {
  const item = selected === null ? null : itemOfNode[selected];
  for (const i of items) i.shape.classList.toggle("selected", i === item);
  for (const p of $("scene").querySelectorAll("path")) p.classList.toggle("near", item !== null && p.ends.includes(item));
}
function fit() {
  if (!items.length) return;
  const xs = items.map(i => i.x), ys = items.map(i => i.y), box = $("view").getBoundingClientRect();
  const extreme = (a, f) => a.reduce((m, v) => f(m, v));
  const left = extreme(xs, Math.min) - 100, right = extreme(xs, Math.max) + 100;
  const top = extreme(ys, Math.min) - 40, bottom = extreme(ys, Math.max) + 40;
  view.k = Math.max(.1, Math.min(1, box.width / (right - left), box.height / (bottom - top)));
  view.x = box.width / 2 - view.k * (left + right) / 2;
  view.y = Math.max(0, (box.height - view.k * (bottom - top)) / 2) - view.k * top;
  place();
}

function link(parent, text, node) {
  const a = document.createElement(node >= 0 ? "a" : "div");
  a.textContent = text;
  if (node >= 0) a.onclick = () => reveal(node);
  parent.appendChild(a);
}
function entry(list, title, fill) {
  const dt = document.createElement("dt"), dd = document.createElement("dd");
  dt.textContent = title;
  fill(dd);
  list.append(dt, dd);
}
function select(node) {
  selected = node;
  mark();
  const n = nodes[node], list = document.createElement("dl");
  const value = (dd, v) => link(dd, `%${values[v].name}: ${values[v].type}` + (values[v].key ? ` = weight ${values[v].key}` : ""), values[v].node);
  entry(list, "op", dd => { dd.textContent = n.op; });
  if (n.out.length) entry(list, "results", dd => n.out.forEach(v => { value(dd, v); }));
  if (n.in.length) entry(list, "operands", dd => n.in.forEach(v => value(dd, v)));
  if (n.attrs.length) entry(list, "attributes", dd => n.attrs.forEach(a => link(dd, a, -1)));
  if (n.scope) entry(list, "scope", dd => { dd.textContent = scopes[n.scope].path; });
  const by = [...new Set(n.out.flatMap(v => users[v]))];
  if (by.length) entry(list, "users", dd => by.slice(0, 100).forEach(u => link(dd, nodes[u].op + " " + nodes[u].out.map(v => "%" + values[v].name).join(", "), u)));
  if (n.out.some(v => data.outputs.includes(v))) entry(list, "", dd => { dd.textContent = "an output of the graph"; });
  $("details").replaceChildren(list);
}
function reveal(node) {
  for (let s = nodes[node].scope; s !== 0; s = scopes[s].parent) open.add(s);
  refresh();
  select(node);
  const item = itemOfNode[node], box = $("view").getBoundingClientRect();
  view.k = Math.max(view.k, .8);
  view.x = box.width / 2 - view.k * item.x;
  view.y = box.height / 2 - view.k * item.y;
  place();
}

const haystack = nodes.map(n => [n.op, ...n.out.map(v => "%" + values[v].name + " " + values[v].type), scopes[n.scope].path,
  ...n.in.filter(v => values[v].node < 0).map(v => "%" + values[v].name + " " + (values[v].key || ""))].join(" ").toLowerCase());
$("search").oninput = () => {
  const words = $("search").value.toLowerCase().split(/\s+/).filter(w => w), found = $("found");
  found.replaceChildren();
  if (!words.length) return;
  const hits = [];
  haystack.forEach((text, i) => { if (words.every(w => text.includes(w))) hits.push(i); });
  link(found, hits.length + " found", -1);
  for (const i of hits.slice(0, 200)) link(found, nodes[i].op + " " + nodes[i].out.map(v => "%" + values[v].name).join(", "), i);
};

let drag = null, moved = false;
const svg = $("view");
svg.onpointerdown = e => { drag = { x: e.clientX - view.x, y: e.clientY - view.y, from: [e.clientX, e.clientY] }; moved = false; };
window.onpointermove = e => {
  if (!drag) return;
  if (Math.hypot(e.clientX - drag.from[0], e.clientY - drag.from[1]) > 4) moved = true;
  if (!moved) return;
  view.x = e.clientX - drag.x;
  view.y = e.clientY - drag.y;
  place();
};
window.onpointerup = () => { drag = null; };
svg.addEventListener("wheel", e => {
  e.preventDefault();
  const box = svg.getBoundingClientRect(), x = e.clientX - box.left, y = e.clientY - box.top;
  const k = Math.max(.02, Math.min(4, view.k * Math.exp(-e.deltaY / 500)));
  view.x = x - (x - view.x) * k / view.k;
  view.y = y - (y - view.y) * k / view.k;
  view.k = k;
  place();
}, { passive: false });
$("collapse").onclick = () => { open.clear(); open.add(0); refresh(); fit(); };
$("fit").onclick = fit;

$("title").textContent = "@" + data.name;
$("summary").textContent = `${nodes.length} nodes, ${data.inputs} inputs, ${data.weights} weights, ${data.outputs.length} outputs`;
openScopes(150);
refresh();
fit();
</script>
</body>
</html>
)html";

}  // namespace tandem::io
