// The files of a session: loaded page by page, filtered, searched, and drawn only where one looks,
// so that ten thousand of them scroll like ten.

import { el, setAttribute, setText, show } from "./dom.js";
import { ask, sessionPath } from "./feed.js";
import * as format from "./format.js";
import { badge } from "./state.js";

const PAGE = 1000;         // the API's largest
const MOST = 100_000;      // kept here; the API has the others
const BEYOND = 8;          // rows drawn above and below what is seen
const STATUSES = ["processing", "failed", "completed", "pending", "skipped", "cancelled"];
const TAIL = 12;           // characters of a name that stay seen: names often differ at their end
const COLUMNS = ["File", "Status", "Progress", "Stage", "Size", "Took", "Tries"];

class FileRow {
  constructor() {
    this.head = el("span");
    this.tail = el("span");
    this.name = el("span", { class: "file-name", role: "rowheader" }, this.head, this.tail);
    this.state = badge("pending");
    this.fill = el("span", { class: "bar-done" });
    this.bar = el("div", { class: "bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 }, this.fill);
    this.cells = COLUMNS.slice(3).map(() => el("span", { role: "cell" }));
    this.element = el("div", { class: "file", role: "row" }, this.name,
      el("span", { role: "cell" }, this.state.element), el("span", { role: "cell", class: "file-bar" }, this.bar),
      ...this.cells);
  }

  set(file, index, height) {
    setAttribute(this.element, "aria-rowindex", index + 2);
    this.element.style.transform = `translateY(${index * height}px)`;
    const letters = Array.from(file.file);
    setText(this.head, letters.slice(0, -TAIL).join(""));
    setText(this.tail, letters.slice(-TAIL).join(""));
    // What an earlier try failed of is no longer wrong with it; the whole story is in the tooltip.
    const error = file.status === "failed" ? file.error : undefined;
    this.name.title = file.error ? `${file.file}\n${file.error}` : file.file;
    this.state.set(file.status);
    this.fill.style.width = `${file.progress}%`;
    this.bar.dataset.state = file.status;
    setAttribute(this.bar, "aria-label", `Progress of ${file.file}`);
    setAttribute(this.bar, "aria-valuenow", Math.floor(file.progress));
    const end = file.endTime ?? (file.status === "processing" ? Date.now() : undefined);
    const took = file.startTime && end ? new Date(end) - new Date(file.startTime) : undefined;
    const texts = [error ?? file.stage ?? "", file.bytes === undefined ? "" : format.bytes(file.bytes),
                   took === undefined ? "" : format.shortDuration(Math.max(0, took)),
                   file.attempts > 1 ? format.count(file.attempts) : ""];
    texts.forEach((text, i) => setText(this.cells[i], text));
    this.cells[0].classList.toggle("file-error", Boolean(error));
  }
}

export class Files {
  #files = [];          // in the order first seen
  #places = new Map();  // of a file in it, by name
  #shown = [];          // those that pass the filter
  #rows = [];
  #load = 0;  // the latest one
  #isDue = false;
  #status = "";
  #search = "";

  constructor(id) {
    this.id = id;
    this.filters = ["", ...STATUSES].map((status) => el("button", {
      type: "button", "data-status": status, "aria-pressed": status === "",
      on: { click: () => this.#choose(status) },
    }, status || "all"));
    const search = el("input", {
      type: "search", placeholder: "Search files", "aria-label": "Search files",
      on: { input: () => { this.#search = search.value.toLowerCase(); this.#filter(); } },
    });
    this.count = el("span", { class: "note" });
    this.space = el("div", { class: "files-space", role: "rowgroup" });
    const head = el("div", { class: "file file-head", role: "row", "aria-rowindex": 1 },
      ...COLUMNS.map((name) => el("span", { role: "columnheader" }, name)));
    this.window = el("div", {
      class: "files", role: "table", "aria-label": "Files", tabindex: "0", on: { scroll: () => this.#draw() },
    }, el("div", { role: "rowgroup", class: "files-head" }, head), this.space);
    this.none = el("p", { class: "none", hidden: true }, "No file matches.");
    this.element = el("section", { class: "card" },
      el("div", { class: "card-head" }, el("h2", {}, "Files"), this.count),
      el("div", { class: "tools" },
        el("div", { class: "choice", role: "group", "aria-label": "Which files" }, ...this.filters), search),
      this.window, this.none);
    this.resizes = new ResizeObserver(() => this.#draw());
    this.resizes.observe(this.window);
    this.load();
  }

  // From the beginning: at first, after a reconnection, and when the session began a new attempt. A
  // load that is under way then ends.
  async load() {
    const load = this.#load += 1;
    this.#files = [];
    this.#places.clear();
    let cursor = "";
    do {
      const page = await ask(sessionPath(this.id, `/files?limit=${PAGE}${cursor}`));
      if (!page || load !== this.#load) return;
      for (const file of page.items) this.#put(file);
      this.#filter();
      cursor = page.nextCursor && `&cursor=${encodeURIComponent(page.nextCursor)}`;
    } while (cursor && this.#files.length < MOST);
  }

  #put(file) {
    const place = this.#places.get(file.file);
    if (place !== undefined) {
      this.#files[place] = file;
    } else if (this.#files.length < MOST) {
      this.#places.set(file.file, this.#files.length);
      this.#files.push(file);
    }
  }

  take(file) {
    this.#put(file);
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#filter();
    });
  }

  #choose(status) {
    this.#status = status;
    for (const button of this.filters) setAttribute(button, "aria-pressed", button.dataset.status === status);
    this.window.scrollTop = 0;
    this.#filter();
  }

  #filter() {
    this.#shown = this.#files.filter((file) => (!this.#status || file.status === this.#status) &&
      (!this.#search || file.file.toLowerCase().includes(this.#search)));
    const all = this.#files.length;
    const limit = all >= MOST ? "the first " : "";
    setText(this.count, this.#shown.length === all ? `${limit}${format.count(all)}`
      : `${format.count(this.#shown.length)} of ${limit}${format.count(all)}`);
    show(this.none, this.#shown.length === 0);
    show(this.window, this.#shown.length > 0);
    setAttribute(this.window, "aria-rowcount", this.#shown.length + 1);
    this.#draw();
  }

  #draw() {
    const height = this.#rowHeight();
    this.space.style.height = `${this.#shown.length * height}px`;
    const first = Math.max(0, Math.floor(this.window.scrollTop / height) - BEYOND);
    const seen = Math.ceil(this.window.clientHeight / height) + 2 * BEYOND;
    const last = Math.min(this.#shown.length, first + seen);
    while (this.#rows.length < last - first) {
      const row = new FileRow();
      this.#rows.push(row);
      this.space.append(row.element);
    }
    this.#rows.forEach((row, i) => {
      const isUsed = first + i < last;
      show(row.element, isUsed);
      if (isUsed) row.set(this.#shown[first + i], first + i, height);
    });
  }

  #rowHeight() {
    return matchMedia("(max-width: 44rem)").matches ? 58 : 34;  // as page.css has it
  }

  close() {
    this.#load += 1;
    this.resizes.disconnect();
  }
}
