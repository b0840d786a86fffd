// Families: what repeated runs of the same job have in common, as GET /v1/families tells it.

import { el } from "./dom.js";
import { ask } from "./feed.js";
import { clock, count, number, shortDuration, UNKNOWN, words } from "./format.js";

// "averageDurationMs" as a heading: "average duration".
const HEADINGS = new Map([["lastStartTime", "last run"]]);
const heading = (key) => HEADINGS.get(key) ?? words(key.replace(/Ms$/, "").replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));

function cell(key, value) {
  if (typeof value === "number") {
    if (/Ms$/.test(key)) return shortDuration(value);
    return Number.isInteger(value) ? count(value) : number(value, 2);
  }
  if (typeof value === "string") return /Time$/.test(key) ? clock(value) : value;
  return Array.isArray(value) ? count(value.length) : UNKNOWN;
}

// The plain members of an object; those of objects inside it behind them.
function flat(item) {
  return Object.entries(item).flatMap(([key, value]) =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? Object.entries(value).filter(([, inner]) => typeof inner !== "object")
          .map(([inner, plain]) => [`${key}_${inner}`, plain])
      : [[key, value]]);
}

export class Families {
  title = "Families";

  constructor() {
    this.element = el("section", { class: "card" }, el("h1", {}, "Families"),
      el("p", { class: "note" }, "What repeated runs of the same job have in common."));
    this.#load();
  }

  async #load() {
    const answer = await ask("v1/families");
    const items = answer?.items ?? [];
    if (items.length === 0) {
      this.element.append(el("p", { class: "none" }, "No family is known yet: a job becomes one when it has ended."));
      return;
    }
    const rows = items.map((item) => new Map(flat(item)));
    const keys = [...new Set(rows.flatMap((row) => [...row.keys()]))];
    this.element.append(el("div", { class: "table-window", tabindex: "0", role: "region", "aria-label": "Families" },
      el("table", {},
        el("thead", {}, el("tr", {}, ...keys.map((key) => el("th", { scope: "col" }, heading(key))))),
        el("tbody", {}, ...rows.map((row) => el("tr", {}, ...keys.map((key, i) =>
          i === 0 ? el("th", { scope: "row" }, cell(key, row.get(key))) : el("td", {}, cell(key, row.get(key))))))))));
  }

  onFeed() {}
  close() {}
}
