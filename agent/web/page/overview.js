// Every session at one glance, one row each; what needs somebody first when so sorted.

import { el, setAttribute, setText, show } from "./dom.js";
import { sparkline } from "./charts.js";
import * as format from "./format.js";
import { badge, icon, isOver, TROUBLED } from "./state.js";

const ORDERS = {
  newest: ["Newest first", (a, b) => b.session.startTime.localeCompare(a.session.startTime)],
  soonest: ["Ready soonest", (a, b) =>
    (a.eta?.estimatedTimeRemainingMs ?? Infinity) - (b.eta?.estimatedTimeRemainingMs ?? Infinity)],
  trouble: ["Trouble first", (a, b) => rankOfTrouble(a) - rankOfTrouble(b)],
  name: ["Name", (a, b) => titleOf(a).localeCompare(titleOf(b))],
};
const FILTERS = {
  all: ["All", () => true],
  running: ["Running", (session) => !isOver(session)],
  trouble: ["Trouble", (session) => rankOfTrouble(session) < 2],
  ended: ["Ended", isOver],
};

export const titleOf = (session) => session.session.name ?? session.session.id;
const firing = (session) => (session.alerts ?? []).filter((alert) => alert.state === "firing" && !alert.dismissed);
function rankOfTrouble(session) {
  if (firing(session).some((alert) => alert.severity === "critical")) return 0;
  return firing(session).length > 0 || TROUBLED.has(session.state) ? 1 : 2;
}

// A bar with its value for screen readers; failed work is hatched at the end of what is done.
export function progressBar(label) {
  const done = el("span", { class: "bar-done" });
  const failed = el("span", { class: "bar-failed" });
  const element = el("div", {
    class: "bar", role: "progressbar", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100,
  }, done, failed);
  const set = (session) => {
    const m = session.metrics;
    const value = m.progressPercentage;
    const over = m.filesCompleted + m.filesFailed + m.filesSkipped + m.filesCancelled;
    const bad = over > 0 ? (value * m.filesFailed) / over : 0;
    done.style.width = `${value - bad}%`;
    failed.style.width = `${bad}%`;
    element.dataset.state = session.state;
    setAttribute(element, "aria-valuenow", Math.floor(value * 10) / 10);
    setAttribute(element, "aria-valuetext", describe(session));
  };
  return { element, set };
}

export function etaRange(session) {
  const interval = session.eta?.interval;
  return interval ? format.range(interval.lowMs, interval.highMs) : null;
}

function describe(session) {
  const m = session.metrics;
  const eta = etaRange(session);
  return `${format.progress(m.progressPercentage)}, ${format.count(m.filesCompleted)} of ` +
    `${format.count(m.totalFiles)} done, ${format.words(session.state)}` + (eta ? `, ${eta} to go` : "");
}

function etaTexts(session) {
  const m = session.metrics;
  if (isOver(session)) {
    const end = session.session.endTime ?? session.session.lastEventTime;
    return [`took ${format.duration(m.elapsedTimeMs)}`, `ended ${format.clock(end)}`];
  }
  const eta = session.eta;
  if (!eta) return ["no estimate yet", `for ${format.duration(m.elapsedTimeMs)} so far`];
  const sure = eta.confidence === undefined ? "" : ` · ${format.ratio(eta.confidence)} sure`;
  return [etaRange(session) ?? format.duration(eta.estimatedTimeRemainingMs),
          `ready ~${format.clock(eta.estimatedCompletionTime)}${sure}`];
}

class Row {
  constructor(session) {
    const id = session.session.id;
    this.title = el("a", { class: "row-title", href: `#/session/${encodeURIComponent(id)}` });
    this.about = el("span", { class: "row-about" });
    this.state = badge(session.state);
    this.alertCount = el("span");
    this.alerts = el("span", { class: "badge", "data-tone": "bad" }, icon("bell"), this.alertCount);
    this.bar = progressBar(`Progress of ${titleOf(session)}`);
    this.percent = el("span", { class: "row-percent" });
    this.counts = el("span", { class: "row-counts" });
    this.failed = el("span", { class: "row-failed" });
    this.eta = el("span", { class: "row-eta" });
    this.ready = el("span", { class: "row-ready" });
    this.spark = sparkline();
    this.rate = el("span", { class: "row-rate" });
    this.cost = el("span", { class: "row-cost" });
    this.element = el("li", { class: "row" },
      el("div", { class: "row-who" }, this.title, this.about),
      el("div", { class: "row-state" }, this.state.element, this.alerts),
      el("div", { class: "row-progress" }, this.bar.element,
        el("div", { class: "row-line" }, this.percent, this.counts, this.failed)),
      el("div", { class: "row-time" }, this.eta, this.ready),
      el("div", { class: "row-speed" }, this.spark.element,
        el("div", { class: "row-line" }, this.rate, this.cost)));
    this.set(session);
  }

  set(session) {
    const { session: who, metrics: m } = session;
    setText(this.title, titleOf(session));
    const labels = Object.entries(who.labels ?? {}).map(([name, value]) => `${name}=${value}`);
    const attempt = who.attempt > 1 ? [`attempt ${who.attempt}`] : [];
    setText(this.about, [who.id === titleOf(session) ? who.family ?? "" : who.id, ...attempt, ...labels]
      .filter(Boolean).join(" · "));
    this.state.set(session.state);
    show(this.alerts, firing(session).length > 0);
    setText(this.alertCount, `${firing(session).length} firing`);
    this.bar.set(session);
    setText(this.percent, format.progress(m.progressPercentage));
    setText(this.counts, `${format.compact(m.filesCompleted)} of ${format.compact(m.totalFiles)}`);
    setText(this.failed, m.filesFailed > 0 ? `${format.compact(m.filesFailed)} failed` : "");
    const [eta, ready] = etaTexts(session);
    setText(this.eta, eta);
    setText(this.ready, ready);
    this.spark.draw((m.throughputHistory ?? []).map((point) => point.value));
    const rate = isOver(session) ? m.peakThroughput : m.currentThroughput;
    setText(this.rate, rate === undefined ? "" : `${format.compact(rate)}${isOver(session) ? " peak" : ""} / min`);
    setText(this.cost, m.estimatedCost > 0 ? format.money(m.estimatedCost, who.currency) : "");
    this.element.classList.toggle("is-over", isOver(session));
  }
}

function tile(label) {
  const value = el("strong");
  return { element: el("div", { class: "tile" }, value, el("span", {}, label)), value };
}

const EMPTY_HINT = `curl -H 'Content-Type: application/x-ndjson' http://127.0.0.1:19901/v1/events \\
  -d '{"event":"progress","session":"mine","completed":3,"total":10}'`;

// Remembered while the page is open: who comes back from a session finds the list as it was.
const choice = { filter: "all", order: "newest", search: "" };

export class Overview {
  title = "Sessions";
  #rows = new Map();
  #dirty = new Set();
  #isDue = false;

  constructor(feed) {
    this.feed = feed;
    this.tiles = {
      running: tile("running"), trouble: tile("in trouble"), files: tile("files a minute"), ended: tile("ended"),
    };
    this.filters = Object.entries(FILTERS).map(([name, [label]]) => el("button", {
      type: "button", "aria-pressed": choice.filter === name, "data-filter": name,
      on: { click: () => this.#choose({ filter: name }) },
    }, label));
    const search = el("input", {
      type: "search", placeholder: "Search sessions", "aria-label": "Search sessions", value: choice.search,
      on: { input: () => this.#choose({ search: search.value.trim().toLowerCase() }) },
    });
    const order = el("select", {
      "aria-label": "Order", on: { change: () => this.#choose({ order: order.value }) },
    }, ...Object.entries(ORDERS).map(([name, [label]]) =>
      el("option", { value: name, selected: choice.order === name }, label)));
    this.list = el("ul", { class: "rows", "aria-label": "Sessions" });
    this.none = el("p", { class: "none" });
    this.hint = el("pre", { class: "hint" }, EMPTY_HINT);
    this.element = el("section", { class: "overview" },
      el("h1", { class: "unseen" }, "Sessions"),
      el("div", { class: "tiles" }, ...Object.values(this.tiles).map((each) => each.element)),
      el("div", { class: "tools" },
        el("div", { class: "choice", role: "group", "aria-label": "Which sessions" }, ...this.filters), search, order),
      this.list, this.none, this.hint);
    this.#arrange();
  }

  onFeed(type, { id, what }) {
    if (type === "file") return;
    if (type === "session" && what !== "sessionStarted" && what !== "removed") this.#dirty.add(id);
    else this.#dirty.add(null);
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => this.#update());
  }

  #choose(change) {
    Object.assign(choice, change);
    for (const button of this.filters) setAttribute(button, "aria-pressed", button.dataset.filter === choice.filter);
    this.#arrange();
  }

  #update() {
    this.#isDue = false;
    for (const id of this.#dirty) {
      const session = this.feed.sessions.get(id);
      if (session) this.#rows.get(id)?.set(session);
    }
    this.#dirty.clear();
    this.#arrange();
  }

  #wanted() {
    const [, isWanted] = FILTERS[choice.filter];
    const [, order] = ORDERS[choice.order];
    const matches = (session) => !choice.search ||
      [session.session.id, session.session.name, session.session.family, ...Object.values(session.session.labels ?? {})]
        .some((text) => text?.toLowerCase().includes(choice.search));
    return [...this.feed.sessions.values()].filter((session) => isWanted(session) && matches(session))
      .sort((a, b) => isOver(a) - isOver(b) || order(a, b));
  }

  // Puts the rows into their order; moves only those that are elsewhere, so that focus stays.
  #arrange() {
    const wanted = this.#wanted();
    const rows = wanted.map((session) => {
      const id = session.session.id;
      let row = this.#rows.get(id);
      if (!row) this.#rows.set(id, row = new Row(session));
      return row.element;
    });
    for (const id of this.#rows.keys()) if (!this.feed.sessions.has(id)) this.#rows.delete(id);
    let place = this.list.firstChild;
    for (const row of rows) {
      if (row === place) place = place.nextSibling;
      else this.list.insertBefore(row, place);
    }
    while (place) {
      const next = place.nextSibling;
      place.remove();
      place = next;
    }
    this.#summarize(rows.length);
  }

  #summarize(shown) {
    const all = [...this.feed.sessions.values()];
    const running = all.filter((session) => !isOver(session));
    const trouble = all.filter((session) => rankOfTrouble(session) < 2).length;
    setText(this.tiles.running.value, format.count(running.length));
    setText(this.tiles.trouble.value, format.count(trouble));
    this.tiles.trouble.element.dataset.tone = trouble > 0 ? "bad" : "";
    setText(this.tiles.files.value, format.compact(
      Math.round(running.reduce((sum, session) => sum + (session.metrics.currentThroughput ?? 0), 0))));
    setText(this.tiles.ended.value, format.count(all.length - running.length));
    const isEmpty = all.length === 0 && this.feed.heardAt !== null;
    show(this.none, shown === 0 && this.feed.heardAt !== null);
    setText(this.none, isEmpty ? "No session yet. Send the first event from the machine the agent runs on:"
      : "No session matches.");
    show(this.hint, isEmpty);
  }

  close() {}
}
