// The moving parts of a report: it unpacks rows, shows those that are asked for, and keeps labels.
// Text reaches the page as text alone. The one piece of HTML is the side by side of a pair, which
// the templates have escaped.
"use strict";

const BATCH = 50; // Clusters that are shown at a time.
const FIRST_PAIRS = 10; // Pairs near the threshold that are shown at first.
const holder = document.getElementById("data");
const data = JSON.parse(holder.textContent);
const find = document.getElementById("find");
const list = document.getElementById("cluster-list");
const more = document.getElementById("more");
const tools = document.querySelector(".tools");

// --- data ---

async function unpackAll(blocks) {
  return (await Promise.all(blocks.map(([, block]) => unpack(block)))).flat();
}

async function unpack(block) {
  const bytes = Uint8Array.from(atob(block), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

// A name is a string; or what it is and how it is shown, where it is null if it is too long to be here.
const idOf = (name) => (typeof name === "string" ? name : name[0]);
const shownOf = (name) => (typeof name === "string" ? name : name[1]);

function readPair([score, containment, jaccard, relation, reason], about) {
  return { score, containment, jaccard, relation, reason, ...about };
}

// The number of a pair among those that can be opened, by its cluster and its place there. The
// pairs near the threshold stand in cluster 0.
const numbers = new Map();
const numberAt = (cluster, place) => numbers.get(`${cluster} ${place}`) ?? -1;

function readBorderline([left, right, together, rule, ...measures], place) {
  return readPair(measures, { left, right, together: together === 1, rule, number: numberAt(0, place) });
}

function readCluster([number, representative, words, size, saved, left, nStay, stays, duplicates], opening) {
  const pairs = duplicates.map(([name, n, score, containment, jaccard, relation, reason, via], place) =>
    readPair([score, containment, jaccard, relation, reason], {
      left: via ?? representative, right: name, words: n, together: true, via,
      number: numberAt(number, place),
    }));
  // A duplicate that is far from the copy to keep comes twice, the second time with its best match.
  const matches = new Map(pairs.filter(({ via }) => via !== undefined).map((pair) => [idOf(pair.right), pair]));
  for (const pair of pairs) {
    if (pair.score < data.threshold && pair.via === undefined) pair.match = matches.get(idOf(pair.right));
  }
  const names = [representative, ...stays, ...duplicates.map(([name]) => name)].map(shownOf);
  const said = [...names, opening].join("\n").toLowerCase();
  const least = Math.min(...pairs.map((pair) => pair.score));
  return { number, representative, words, size, saved, left, nStay, stays, pairs, names, opening, said, least };
}

const fragments = new Map(); // Blocks of pairs that were unpacked.

async function sidesOf(number) {
  let first = 0;
  for (const [index, [n, block]] of data.pairs.entries()) {
    if (number >= 0 && number < first + n) {
      if (!fragments.has(index)) fragments.set(index, unpack(block));
      return (await fragments.get(index))[number - first];
    }
    first += n;
  }
  return null;
}

// --- making elements ---

function make(tag, className, ...inside) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...inside);
  return element;
}

const bdi = (name) => make("bdi", "", shownOf(name));
const counted = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;

function gauge(score, digits) {
  const fill = make("span", "fill");
  const at = make("span", "at");
  fill.style.width = `${100 * score}%`;
  at.style.left = `calc(${100 * data.threshold}% - 1px)`;
  const element = make("span", `gauge${score >= data.threshold ? " above" : ""}`, fill, at);
  element.setAttribute("aria-hidden", "true");
  return make("span", "score", score.toFixed(digits), element);
}

function entry(className, summary, fill) {
  const element = make("details", `entry ${className}`, summary);
  element.addEventListener("toggle", () => {
    if (element.open && element.childElementCount === 1) fill(element);
  });
  return element;
}

// --- pairs ---

function pairEntry(pair) {
  const state = make("span", "state");
  const ids = make("span", "ids");
  if (pair.words === undefined) {
    ids.append(bdi(pair.left), bdi(pair.right));
    state.append(make("span", "quiet", pair.together ? "one cluster" : "kept apart"));
  } else {
    ids.append(bdi(pair.right));
    if (pair.via !== undefined) {
      ids.append(make("span", "quiet", "matches ", bdi(pair.via)));
    }
    if (pair.score < data.threshold) {
      ids.append(make("span", "quiet", pair.match ? "under the threshold, but see its match below" : "under the threshold"));
    }
    state.append(make("span", "quiet", `${pair.relation}, ${counted(pair.words, "word")}`));
  }
  const was = make("span", "was");
  state.append(was);
  // Those near the threshold differ in their third digit, if at all.
  const score = gauge(pair.score, pair.words === undefined ? 3 : 2);
  const kind = pair.via === undefined ? "pair" : "pair via";
  const element = entry(kind, make("summary", "", score, ids, state), fillPair);
  element.pair = pair;
  showLabel(element, was);
  return element;
}

function fillPair(element) {
  const pair = element.pair;
  const inside = make("div", "inside");
  const numbers = `Score ${pair.score.toFixed(2)}, containment ${pair.containment.toFixed(2)}, ` +
    `Jaccard similarity ${pair.jaccard.toFixed(2)}: ${pair.relation}.`;
  inside.append(make("p", "reason", `${pair.reason}.`, make("br"), make("span", "quiet", numbers)));
  if (pair.rule) inside.append(make("p", "reason quiet", disagreement(pair)));
  else if (pair.score < data.threshold) inside.append(make("p", "reason quiet", ...whyTogether(pair)));
  inside.append(labelButtons(element), make("div", "evidence", make("p", "note", "…")));
  element.append(inside);
  showLabel(element);
  showSides(element, inside.lastChild);
}

function disagreement(pair) {
  const reaches = pair.score >= data.threshold;
  const but = reaches === pair.together ? "" :
    ` Yet they are ${pair.together ? "in one cluster" : "not in one cluster"}: ` +
    "clusters are joined by the average score of all pairs between them.";
  return `${pair.rule[0].toUpperCase()}${pair.rule.slice(1)}.${but}`;
}

// Why a pair is in one cluster although it scores less than the threshold.
function whyTogether({ match }) {
  const under = `Under the threshold of ${data.threshold}, yet in this cluster: `;
  const joined = "Clusters are joined by the average score of all pairs between them.";
  if (match === undefined) return [`${under}other copies of the story are closer. ${joined}`];
  return [under, "it scores ", match.score.toFixed(2), " with ", bdi(match.left), `. ${joined}`];
}

async function showSides(element, place) {
  let html = null;
  try {
    html = await sidesOf(element.pair.number);
  } catch (error) {
    place.replaceChildren(make("p", "note", `This browser cannot unpack the texts (${error.message}).`));
    return;
  }
  if (html === null) {
    const note = "The page holds the numbers of this pair alone. dedupe compare --within shows both of its texts.";
    place.replaceChildren(make("p", "note", note));
  } else {
    place.innerHTML = html;
  }
}

// --- labels ---

const KEY = `dedupe-labels-${holder.dataset.digest}`;
const labels = new Map();

function loadLabels() {
  try {
    for (const [key, same] of JSON.parse(localStorage.getItem(KEY) ?? "[]")) labels.set(key, same);
  } catch {
    // A page opened from disk may have no memory; labels then live as long as it does.
  }
}

function saveLabels() {
  try {
    localStorage.setItem(KEY, JSON.stringify([...labels]));
  } catch {
    // As above.
  }
}

function keyOf(pair) {
  const ids = [idOf(pair.left), idOf(pair.right)];
  return ids.includes(null) ? null : JSON.stringify(ids.sort());
}

function labelButtons(element) {
  const box = make("div", "labelling");
  box.setAttribute("role", "group");
  const pair = element.pair;
  if (keyOf(pair) === null) {
    box.append(make("span", "quiet", "An id of this pair is too long for the page, so it cannot be labelled."));
    return box;
  }
  const question = pair.together ? "They are taken for one story." : "They are taken for two stories.";
  box.append(make("span", "", question));
  for (const [said, text] of [["right", "✓ Right"], ["wrong", "✗ Wrong"]]) {
    const button = make("button", said, text);
    button.type = "button";
    button.addEventListener("click", () => label(element, said));
    box.append(button);
  }
  return box;
}

function labelOf(pair) {
  const same = labels.get(keyOf(pair));
  if (same === undefined) return "";
  return same === pair.together ? "right" : "wrong";
}

function label(element, said) {
  const pair = element.pair;
  const key = keyOf(pair);
  if (key === null) return;
  if (labelOf(pair) === said) labels.delete(key);
  else labels.set(key, (said === "right") === pair.together);
  saveLabels();
  // A pair may stand among the borderline ones and in its cluster, which may be out of sight.
  for (const place of [document, ...entries.values()]) {
    for (const other of place.querySelectorAll(".pair")) {
      if (keyOf(other.pair) === key) showLabel(other);
    }
  }
  countLabels();
}

function showLabel(element, was = element.querySelector(".was")) {
  const said = labelOf(element.pair);
  was.className = `was ${said}`;
  was.textContent = { right: "✓ right", wrong: "✗ wrong" }[said] ?? "";
  for (const button of element.querySelectorAll(".labelling button")) {
    button.setAttribute("aria-pressed", String(button.classList.contains(said || "none")));
  }
}

function countLabels() {
  document.getElementById("n-labels").textContent =
    labels.size ? `${counted(labels.size, "pair")} labelled` : "no pair labelled";
  const button = document.getElementById("export");
  button.disabled = labels.size === 0;
  button.dataset.n = labels.size; // What a narrow bar shows instead.
}

function exportLabels() {
  const rows = [...labels.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, same]) => {
    const [left, right] = JSON.parse(key);
    return { left, right, same_story: same };
  });
  const text = JSON.stringify({ format: "dedupe-labels", version: 1, labels: rows }, null, 1);
  const link = make("a");
  link.href = URL.createObjectURL(new Blob([`${text}\n`], { type: "application/json" }));
  link.download = "labels.json";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// --- clusters ---

let all = []; // Every cluster of the page.
let found = []; // Those that match, in order.
let nShown = BATCH; // How many of them are shown at most.
const entries = new Map(); // The entries of clusters that were shown, by number: open ones stay open.

function clusterEntry(cluster) {
  const summary = make("summary", "",
    make("span", "count", counted(cluster.size, "document")),
    make("span", "ids", ...(cluster.opening ? [make("bdi", "opening", cluster.opening)] : []), bdi(cluster.representative)),
    make("span", "state quiet", `least score ${cluster.least.toFixed(2)}, saves ${counted(cluster.saved, "word")}`));
  return entry("cluster", summary, (element) => {
    const inside = make("div", "inside");
    inside.append(make("div", "kept", make("span", "tag", "keep"), bdi(cluster.representative),
      make("span", "quiet", counted(cluster.words, "word"))));
    inside.append(...cluster.pairs.map(pairEntry));
    if (cluster.left) inside.append(make("p", "note", `and ${counted(cluster.left, "more duplicate")}`));
    inside.append(...cluster.stays.map((name) => make("div", "kept", make("span", "tag", "keep"), bdi(name),
      make("span", "quiet", "too: it has next to nothing of the copy above"))));
    const nOthers = cluster.nStay - cluster.stays.length;
    if (nOthers) inside.append(make("p", "note", `and ${counted(nOthers, "more document")} to keep`));
    element.append(inside);
    // The only pair is what a reader has come for.
    if (cluster.pairs.length === 1) inside.querySelector(".pair").open = true;
  });
}

const ORDERS = {
  size: (a, b) => a.number - b.number,
  doubt: (a, b) => a.least - b.least || a.number - b.number,
  sure: (a, b) => b.least - a.least || a.number - b.number,
  saved: (a, b) => b.saved - a.saved || a.number - b.number,
};

const wantedText = () => find.value.trim().toLowerCase();

function entryOf(cluster) {
  if (!entries.has(cluster.number)) entries.set(cluster.number, clusterEntry(cluster));
  return entries.get(cluster.number);
}

function refresh() {
  const wanted = wantedText();
  const order = ORDERS[document.getElementById("sort").value];
  found = all.filter((cluster) => cluster.said.includes(wanted)).sort(order);
  const focused = document.activeElement;
  list.replaceChildren(...found.slice(0, nShown).map(entryOf));
  if (list.contains(focused)) focused.focus({ preventScroll: true });
  refreshCount();
  refreshPairs();
}

let nPairs = FIRST_PAIRS; // Pairs near the threshold that are shown.

function refreshPairs() {
  const wanted = wantedText();
  const elements = [...document.querySelectorAll("#pairs > .pair")];
  // The story of a pair is told by its cluster.
  const stories = new Set(all.filter(({ opening }) => opening.toLowerCase().includes(wanted)).flatMap(({ names }) => names));
  const matching = elements.filter(({ pair }) => [pair.left, pair.right].map(shownOf)
    .some((name) => name.toLowerCase().includes(wanted) || stories.has(name)));
  const shown = new Set(matching.slice(0, nPairs));
  for (const element of elements) element.hidden = !shown.has(element);
  document.getElementById("no-pairs").hidden = shown.size > 0 || elements.length === 0;
  const button = document.getElementById("more-pairs");
  button.hidden = shown.size === matching.length;
  button.textContent = `Show ${matching.length - shown.size} more`;
}

function showAllPairs() {
  const first = document.querySelector("#pairs > .pair[hidden] > summary");
  nPairs = Infinity;
  refreshPairs();
  first.focus();
}

function showMore() {
  const first = found[nShown];
  list.append(...found.slice(nShown, nShown + BATCH).map(entryOf));
  nShown += BATCH;
  refreshCount();
  entryOf(first).querySelector("summary").focus();
}

function openAll(elements, open) {
  for (const element of elements) element.open = open;
}

function refreshCount() {
  more.hidden = nShown >= found.length;
  document.getElementById("n-found").textContent = foundSay();
}

function foundSay() {
  const [shown, matching] = [Math.min(nShown, found.length), found.length].map((n) => n.toLocaleString("en"));
  const total = counted(all.length, "cluster");
  if (all.length === 0) return "There is none.";
  if (!wantedText()) return `${shown} of ${total} shown`;
  return `${matching} of ${total} found${nShown < found.length ? `, ${shown} shown` : ""}`;
}

// --- keys ---

// Go to the next entry, or the one before; from outside of them, to what is near in the window.
function step(by) {
  const summaries = [...document.querySelectorAll(".entry > summary")].filter((one) => one.checkVisibility?.() ?? one.offsetParent);
  const here = document.activeElement.closest(".entry");
  let at = summaries.indexOf(here?.querySelector("summary"));
  if (!here) {
    const top = Math.max(0, tools.getBoundingClientRect().bottom);
    const below = summaries.findIndex((one) => one.getBoundingClientRect().top >= top);
    at = (below < 0 ? summaries.length : below) - (by > 0 ? 1 : 0);
  }
  summaries[Math.min(summaries.length - 1, Math.max(0, at + by))]?.focus();
}

function onKey(event) {
  const typing = event.target.closest("input, select, textarea");
  if (typing && event.key === "Escape" && find.value) {
    find.value = "";
    refresh();
  }
  if (typing || event.ctrlKey || event.altKey || event.metaKey) return;
  const inside = event.target.closest(".entry");
  const pair = event.target.closest(".pair");
  if (event.key === "/") find.focus();
  else if (event.key === "j" || (inside && event.key === "ArrowDown")) step(1);
  else if (event.key === "k" || (inside && event.key === "ArrowUp")) step(-1);
  else if (pair && event.key === "r") label(pair, "right");
  else if (pair && event.key === "w") label(pair, "wrong");
  else return;
  event.preventDefault();
}

// --- beginning ---

async function begin() {
  loadLabels();
  countLabels();
  try {
    const [near, rows, openings, places] =
      await Promise.all([data.borderline, data.clusters, data.openings, data.places].map(unpackAll));
    for (const [cluster, place, number] of places) numbers.set(`${cluster} ${place}`, number);
    document.getElementById("pairs").append(...near.map(readBorderline).map(pairEntry));
    all = rows.map((row, place) => readCluster(row, openings[place] ?? ""));
  } catch (error) {
    document.getElementById("n-found").textContent = `This browser cannot unpack the page (${error.message}).`;
    return;
  }
  refresh();
  tools.hidden = false;
  find.addEventListener("input", refresh);
  document.getElementById("sort").addEventListener("change", refresh);
  more.addEventListener("click", showMore);
  document.getElementById("more-pairs").addEventListener("click", showAllPairs);
  document.getElementById("export").addEventListener("click", exportLabels);
  document.getElementById("expand").addEventListener("click", () => openAll(list.children, true));
  document.getElementById("collapse").addEventListener("click", () => openAll(entries.values(), false));
  document.addEventListener("keydown", onKey);
  document.documentElement.dataset.ready = "yes";
}

begin();
