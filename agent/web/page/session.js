// One session: where it is, when it will be ready, and why; what is wrong; its files.

import { el, setAttribute, setText, show } from "./dom.js";
import { timeChart, timeStep } from "./charts.js";
import { Explanation } from "./explanation.js";
import { ask, sessionPath } from "./feed.js";
import { Files } from "./files.js";
import * as format from "./format.js";
import { Notices } from "./notices.js";
import { etaRange, progressBar, titleOf } from "./overview.js";
import { badge, icon, isOver } from "./state.js";

const REFRESH = 5000;       // of what the feed does not tell: insights, the explanation; ms
const MOST_FORECASTS = 720;  // kept for the chart

// Forecasts seen since the page was opened, by session: who comes back finds them.
const seenForecasts = new Map();

const COUNTS = [
  ["completed", "filesCompleted"], ["failed", "filesFailed"], ["processing", "filesProcessing"],
  ["pending", "filesPending"], ["skipped", "filesSkipped"], ["cancelled", "filesCancelled"],
];

const RARE = new Set(["skipped", "cancelled"]);  // not shown while there are none

// label: what it reads from (metrics, session)
const FACTS = {
  "Throughput": (m) => rate(m.currentThroughput),
  "Peak": (m) => rate(m.peakThroughput),
  "A file takes": (m) => format.shortDuration(m.averageProcessingTimeMs),
  "Errors": (m) => format.ratio(m.errorRate, 1),
  "Retries": (m) => format.count(m.retryCount),
  "Quality": (m) => format.ratio(m.qualityScore),
  "Cost": (m, s) => format.money(m.estimatedCost, s.currency) +
    (s.costBudget ? ` of ${format.money(s.costBudget, s.currency)}` : ""),
  "Cost of a file": (m, s) => format.money(m.costPerFile, s.currency),
  "Tokens": (m) => format.compact(m.totalTokensUsed),
  "API calls": (m) => format.compact(m.apiCallsTotal),
  "API success": (m) => format.ratio(m.apiSuccessRate, 1),
  "Rate limits": (m) => `${format.count(m.rateLimitHits)} hits, ${format.duration(m.rateLimitDelayMs)}`,
};
// Without API calls and money most of them say nothing.
const NEEDS = {
  "Cost": (m) => m.estimatedCost > 0, "Cost of a file": (m) => m.costPerFile > 0, "Tokens": (m) => m.totalTokensUsed > 0,
  "API calls": (m) => m.apiCallsTotal > 0, "API success": (m) => m.apiCallsTotal > 0,
  "Rate limits": (m) => m.rateLimitHits > 0, "Quality": (m) => m.qualityScore !== undefined,
  "Errors": (m) => m.errorRate !== undefined,
};

function rate(value) {
  return value === undefined ? format.UNKNOWN : `${format.compact(value)} / min`;
}

const card = (title, ...children) => el("section", { class: "card" }, el("div", { class: "card-head" }, el("h2", {}, title)),
  ...children);

export class SessionView {
  #isDue = false;
  #isClosed = false;

  constructor(feed, id) {
    this.feed = feed;
    this.id = id;
    this.title = id;
    this.#build();
    this.files = new Files(id);
    this.element.append(this.files.element);
    this.timer = setInterval(() => this.#refresh(), REFRESH);
    this.#refresh();
    this.#update();
  }

  #build() {
    this.heading = el("h1");
    this.state = badge("waiting");
    this.about = el("p", { class: "note" });
    this.bar = progressBar("Progress of the session");
    this.percent = el("strong", { class: "hero-percent" });
    this.eta = el("strong", { class: "hero-eta" });
    this.etaLabel = el("span", { class: "note" });
    this.ready = el("p", { class: "hero-ready" });
    this.counts = new Map(COUNTS.map(([status, key]) => [key, { status, value: el("strong"), badge: badge(status) }]));
    this.facts = new Map(Object.keys(FACTS).map((label) => [label, el("dd")]));
    this.throughput = timeChart({
      label: "Throughput", format: format.compact,
      describe: (point) => `${format.clockSeconds(point.time)}: ${format.compact(point.value)} files / min`,
    });
    this.forecasts = timeChart({
      label: "Time to go", format: format.duration, step: timeStep,
      describe: (point) => `${format.clockSeconds(point.time)}: ${format.duration(point.value)} to go ` +
        `(${format.range(point.low, point.high)})`,
    });
    this.forecastCard = card("Time to go", this.forecasts.element);
    this.notices = new Notices(() => this.#refresh());
    this.explanation = new Explanation(this.id);
    this.stages = el("div", { class: "stages" });
    this.stageCard = card("Stages", this.stages);
    this.gone = el("p", { class: "none", hidden: true }, "The agent knows no such session any more. ",
      el("a", { href: "#/" }, "See those it knows."));
    this.body = el("div", { class: "session-body" },
      el("section", { class: "card hero" },
        el("div", { class: "hero-line" },
          el("div", {}, this.percent, el("span", { class: "note" }, " done")),
          el("div", { class: "hero-time" }, this.eta, " ", this.etaLabel)),
        this.bar.element, this.ready,
        el("ul", { class: "counts" }, ...[...this.counts.values()].map(({ value, badge: mark }) =>
          el("li", {}, value, mark.element)))),
      this.notices.element,
      el("div", { class: "columns" },
        card("Throughput", this.throughput.element),
        this.forecastCard),
      el("div", { class: "columns" },
        card("Figures", el("dl", { class: "facts" },
          ...[...this.facts].map(([label, value]) => el("div", {}, el("dt", {}, label), value)))),
        this.explanation.element),
      this.stageCard);
    this.element = el("div", { class: "session" },
      el("a", { class: "back", href: "#/" }, icon("back"), "Sessions"),
      el("div", { class: "session-head" }, this.heading, this.state.element), this.about, this.gone, this.body);
  }

  onFeed(type, { id, what }) {
    if (type === "file" && id === this.id) this.files.take(what);
    if (type === "all" && this.files) this.files.load();
    if (type === "session" && id === this.id && what === "sessionStarted") this.files.load();
    if (type === "file" || (id !== undefined && id !== this.id) || this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => this.#update());
  }

  #session() {
    return this.feed.sessions.get(this.id) ?? this.asked;
  }

  #update() {
    this.#isDue = false;
    const session = this.#session();
    const isKnown = Boolean(session) && (this.feed.heardAt === null || this.feed.sessions.has(this.id) ||
      session.session.config?.enableRealTimeUpdates === false);
    show(this.gone, !isKnown && this.feed.heardAt !== null && this.wasAsked === true);
    show(this.body, Boolean(session));
    setText(this.heading, session ? titleOf(session) : this.id);
    show(this.state.element, Boolean(session));
    if (!session) return;
    document.title = `${format.progress(session.metrics.progressPercentage)} ${titleOf(session)} · progress-agent`;
    this.#updateHead(session);
    this.#updateCharts(session);
    this.notices.set(session);
    this.explanation.set(session);
  }

  #updateHead(session) {
    const { session: who, metrics: m } = session;
    this.state.set(session.state);
    const labels = Object.entries(who.labels ?? {}).map(([name, value]) => `${name}=${value}`);
    setText(this.about, [who.id, who.family && `family ${who.family}`, who.attempt > 1 && `attempt ${who.attempt}`,
      ...labels, `began ${format.clock(who.startTime)}`, `last heard ${format.clockSeconds(who.lastEventTime)}`]
      .filter(Boolean).join(" · "));
    this.bar.set(session);
    setText(this.percent, format.progress(m.progressPercentage));
    this.#updateEta(session);
    for (const [key, { status, value }] of this.counts) {
      setText(value, format.count(m[key]));
      show(value.parentElement, m[key] > 0 || !RARE.has(status));
    }
    for (const [label, value] of this.facts) {
      setText(value, FACTS[label](m, who));
      show(value.parentElement, NEEDS[label]?.(m) ?? true);
    }
  }

  #updateEta(session) {
    const { session: who, metrics: m, eta } = session;
    if (isOver(session)) {
      setText(this.eta, format.duration(m.elapsedTimeMs));
      setText(this.etaLabel, "in all");
      const end = who.endTime ? `Ended ${format.clock(who.endTime)}` : `Last heard ${format.clock(who.lastEventTime)}`;
      setText(this.ready, who.endReason ? `${end}: ${who.endReason}` : end);
      return;
    }
    setText(this.eta, eta ? etaRange(session) ?? format.duration(eta.estimatedTimeRemainingMs) : "no estimate yet");
    setText(this.etaLabel, eta ? "to go" : "");
    const parts = [`${format.duration(m.elapsedTimeMs)} so far`];
    if (eta) {
      parts.push(`ready about ${format.clock(eta.estimatedCompletionTime)}`);
      if (eta.interval) parts.push(`${format.ratio(eta.interval.level)} of such ranges hold`);
      if (eta.confidence !== undefined) parts.push(`${format.ratio(eta.confidence)} sure of ±20 %`);
    }
    if (who.deadline) parts.push(`deadline ${format.clock(who.deadline)}`);
    if (eta?.deadlineRisk !== undefined) parts.push(`${format.ratio(eta.deadlineRisk)} risk of missing it`);
    setText(this.ready, parts.join(" · "));
  }

  #updateCharts(session) {
    const { metrics: m, eta } = session;
    const history = (m.throughputHistory ?? []).map((point) => ({ time: Date.parse(point.timestamp), value: point.value }));
    this.throughput.draw(history, `${rate(m.currentThroughput)} now, ${rate(m.peakThroughput)} at most`);
    const key = `${this.id} ${session.session.attempt}`;
    if (!seenForecasts.has(key)) seenForecasts.set(key, []);
    const seen = seenForecasts.get(key);
    const time = Date.parse(m.currentTime);
    if (eta && (seen.length === 0 || time > seen.at(-1).time)) {
      seen.push({
        time, value: eta.estimatedTimeRemainingMs, low: eta.interval?.lowMs ?? eta.estimatedTimeRemainingMs,
        high: eta.interval?.highMs ?? eta.estimatedTimeRemainingMs,
      });
      if (seen.length > MOST_FORECASTS) seen.splice(1, 1);
    }
    const forecasts = [...this.#older(seen), ...seen];
    show(this.forecastCard, forecasts.length > 1 || !isOver(session));  // what is over gets no more of them
    this.forecasts.draw(forecasts, eta ? `${etaRange(session)} now` : "none now");
  }

  // Snapshots that the agent kept from before this page was opened.
  #older(seen) {
    const first = seen[0]?.time ?? Infinity;
    return (this.snapshots ?? []).filter((snapshot) => snapshot.eta && Date.parse(snapshot.timestamp) < first)
      .map(({ timestamp, eta }) => ({
        time: Date.parse(timestamp), value: eta.estimatedTimeRemainingMs,
        low: eta.interval?.lowMs, high: eta.interval?.highMs,
      }));
  }

  async #refresh() {
    if (document.hidden && this.asked) return;
    const fresh = await ask(sessionPath(this.id));
    this.wasAsked = true;
    if (this.#isClosed) return;
    if (fresh) {
      this.asked = fresh;
      const known = this.feed.sessions.get(this.id);
      if (known) Object.assign(known, { session: fresh.session, insights: fresh.insights, alerts: fresh.alerts });
    }
    const [why, analytics] = await Promise.all(
      [ask(sessionPath(this.id, "/explain")), ask(sessionPath(this.id, "/analytics"))]);
    if (!this.snapshots) this.snapshots = (await ask(sessionPath(this.id, "/snapshots?limit=1000")))?.items ?? [];
    if (this.#isClosed) return;
    this.explanation.explain(why);
    await this.#updateStages(analytics);
    if (!this.#isClosed) this.#update();
  }

  // From analytics; without them, what the files in flight are at.
  async #updateStages(analytics) {
    const told = analytics?.stageBreakdown ?? [];
    const stages = told.length > 0 ? told.map(({ stage, files, totalTimeMs, averageTimeMs, p95TimeMs }) => ({
      stage, size: totalTimeMs ?? 0,
      text: [averageTimeMs !== undefined && `${format.shortDuration(averageTimeMs)} a file`,
        p95TimeMs !== undefined && `95 % within ${format.shortDuration(p95TimeMs)}`,
        `${format.count(files ?? 0)} in it now`].filter(Boolean).join(" · "),
    })) : await this.#stagesInFlight();
    show(this.stageCard, stages.length > 0);
    const most = Math.max(1, ...stages.map(({ size }) => size));
    this.stages.replaceChildren(...stages.map(({ stage, size, text }) => {
      const fill = el("span", { class: "bar-done" });
      fill.style.width = `${(100 * size) / most}%`;
      return el("div", { class: "stage" }, el("span", { class: "stage-name" }, stage),
        el("div", { class: "bar", "aria-hidden": "true" }, fill), el("span", { class: "note" }, text));
    }));
  }

  async #stagesInFlight() {
    const inFlight = (await ask(sessionPath(this.id, "/files?status=processing&limit=1000")))?.items ?? [];
    const counts = new Map();
    for (const file of inFlight) if (file.stage) counts.set(file.stage, (counts.get(file.stage) ?? 0) + 1);
    return [...counts].sort(([a], [b]) => a.localeCompare(b))
      .map(([stage, files]) => ({ stage, size: files, text: `${format.count(files)} in it now` }));
  }

  close() {
    this.#isClosed = true;
    clearInterval(this.timer);
    this.files.close();
    setAttribute(this.element, "inert", "");
  }
}
