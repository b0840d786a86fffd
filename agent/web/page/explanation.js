// Why this ETA: what each method says, within the range given, and what the agent says of its reasons.

import { el, setText, show } from "./dom.js";
import * as format from "./format.js";

const NAMES = { linear: "linear", exponential: "exponential", adaptive: "adaptive", ml_based: "learned" };

export class Explanation {
  constructor() {
    this.methods = el("ul", { class: "methods" });
    this.because = el("p", { class: "note" });
    this.reasons = el("dl", { class: "facts" });
    this.details = el("details", { hidden: true }, el("summary", {}, "What it rests on"), this.reasons);
    this.element = el("section", { class: "card" }, el("div", { class: "card-head" }, el("h2", {}, "Why this estimate")),
      this.methods, this.because, this.details);
  }

  set({ eta }) {
    show(this.element, Boolean(eta));
    if (!eta) return;
    const methods = Object.entries(eta.methods ?? { [eta.method]: eta.estimatedTimeRemainingMs });
    const { lowMs: low = 0, highMs: high = 0 } = eta.interval ?? {};
    const most = Math.max(...methods.map(([, ms]) => ms), Math.min(high, 3 * eta.estimatedTimeRemainingMs), 1);
    this.methods.replaceChildren(...methods.map(([name, ms]) => {
      const band = el("span", { class: "method-band" });
      band.style.left = `${(100 * Math.min(low, most)) / most}%`;
      band.style.width = `${(100 * (Math.min(high, most) - Math.min(low, most))) / most}%`;
      const dot = el("span", { class: "method-dot" });
      dot.style.left = `${(100 * ms) / most}%`;
      const chosen = name === eta.method;
      return el("li", chosen ? { class: "is-chosen" } : {}, el("span", {}, NAMES[name] ?? name, chosen ? " (chosen)" : ""),
        el("span", { class: "method-line", "aria-hidden": "true" }, band, dot), el("span", {}, format.duration(ms)));
    }));
    if (!this.why) this.#tell(eta);
  }

  // GET /v1/sessions/{id}/explain; null where there is none.
  explain(why) {
    this.why = why?.eta?.known ? why.eta : null;
    if (!this.why) return;
    const { method, because, inputs = {}, rateLimits = {}, methods = {} } = this.why;
    setText(this.because, `${NAMES[method] ?? method} was chosen: ${because}.`);
    const past = methods[method]?.pastError;
    const facts = [
      ["Work done", format.ratio(inputs.workDoneRatio)], ["Active time", format.duration(inputs.activeMs)],
      ["In flight", format.count(inputs.inFlight)], ["Files at once", format.number(inputs.parallelism, 1)],
      ["Earlier runs", format.count(inputs.familyRuns)], ["Weight of history", format.ratio(inputs.historyRatio)],
      ["Lost to rate limits", format.ratio(rateLimits.timeRatio)], ["Waits expected", format.duration(rateLimits.expectedMs)],
      ["Its past error", format.ratio(past)],
    ].filter(([, value]) => value !== format.UNKNOWN);
    this.reasons.replaceChildren(...facts.map(([label, value]) =>
      el("div", {}, el("dt", {}, label), el("dd", {}, value))));
    show(this.details, facts.length > 0);
  }

  #tell({ factors = {} }) {
    const parts = [
      factors.rateLimitingImpact > 0.005 && `${format.ratio(factors.rateLimitingImpact)} of the time is lost to rate limits`,
      factors.complexityFactor !== undefined && Math.abs(factors.complexityFactor - 1) > 0.05 &&
        `what is left is ${factors.complexityFactor > 1 ? "larger" : "smaller"} than what is done ` +
        `(${format.number(factors.complexityFactor, 2)} times)`,
      factors.historicalAccuracy !== undefined && `estimates of earlier runs were ${format.ratio(factors.historicalAccuracy)} right`,
    ].filter(Boolean);
    const text = parts.join("; ");
    setText(this.because, text ? `${text[0].toUpperCase()}${text.slice(1)}.` : "");
  }
}
