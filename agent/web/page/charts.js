// Small charts, drawn as SVG. Each says in words what it shows; the one with axes also answers the
// pointer and the arrow keys.

import { el, setAttribute, setText, show, svg } from "./dom.js";
import { clockSeconds } from "./format.js";

const line = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

// A line without axes, the newest value at the right.
export function sparkline(width = 120, height = 28) {
  const area = svg("path", { class: "spark-area" });
  const stroke = svg("path", { class: "spark-line" });
  const element = svg("svg", {
    class: "spark", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true",
  }, area, stroke);
  const draw = (values) => {
    if (values.length < 2) {
      setAttribute(stroke, "d", "");
      setAttribute(area, "d", "");
      return;
    }
    const top = Math.max(...values, 1e-9);
    const points = values.map((value, i) => [
      (i / (values.length - 1)) * width, height - 2 - (value / top) * (height - 4),
    ]);
    setAttribute(stroke, "d", line(points));
    setAttribute(area, "d", `${line(points)}L${width} ${height}L0 ${height}Z`);
  };
  return { element, draw };
}

// 1, 2 or 5 times a power of ten, so that about `most` steps make up the range.
function niceStep(range, most) {
  const rough = range / most || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough);
}

// The same for milliseconds: 15 s, 5 min, 2 h.
export function timeStep(range, most) {
  const [second, minute, hour] = [1000, 60_000, 3_600_000];
  const steps = [1, 2, 5, 10, 15, 30].map((factor) => factor * second)
    .concat([1, 2, 5, 10, 15, 30].map((factor) => factor * minute), [1, 2, 3, 6, 12, 24].map((factor) => factor * hour));
  return steps.find((step) => step >= range / most) ?? niceStep(range / (24 * hour), most) * 24 * hour;
}

const LEFT = 52;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 22;

// Values over time. `describe(point)` says a point in words; a point is {time, value, low?, high?}.
// `step(range, most)` says how far the lines of the grid are apart.
export function timeChart({ label, format, height = 170, describe, step: stepOf = niceStep }) {
  const grid = svg("g", { class: "grid" });
  const band = svg("path", { class: "band" });
  const area = svg("path", { class: "area" });
  const stroke = svg("path", { class: "stroke" });
  const cursor = svg("g", { class: "cursor", visibility: "hidden" }, svg("path"), svg("circle", { r: 3.5 }));
  const plot = svg("svg", { class: "plot", height, "aria-hidden": "true" }, grid, band, area, stroke, cursor);
  const empty = el("p", { class: "chart-empty" }, "Not enough has happened yet.");
  const tip = el("output", { class: "tip" });
  const element = el("div", { class: "chart", role: "img", tabindex: "0", "aria-label": label }, plot, empty, tip);

  let points = [];
  let scale = null;
  let at = -1;

  const point = (index) => {
    at = index;
    const shown = scale && points[index];
    setAttribute(cursor, "visibility", shown ? "visible" : "hidden");
    setText(tip, shown ? describe(shown) : "");
    if (!shown) return;
    const x = scale.x(shown.time);
    setAttribute(cursor.firstChild, "d", `M${x} ${TOP}V${height - BOTTOM}`);
    setAttribute(cursor.lastChild, "cx", x);
    setAttribute(cursor.lastChild, "cy", scale.y(shown.value));
  };

  function drawGrid(width, top) {
    const step = stepOf(top, 4);
    const rows = [];
    for (let value = 0; value <= top * 1.001; value += step) {
      const y = scale.y(value);
      rows.push(svg("path", { d: `M${LEFT} ${y}H${width - RIGHT}` }));
      const text = svg("text", { x: LEFT - 8, y: y + 4, "text-anchor": "end" });
      text.textContent = format(value);
      rows.push(text);
    }
    const columns = Math.max(1, Math.min(5, Math.floor((width - LEFT) / 110)));
    const [begin, end] = [points[0].time, points.at(-1).time];
    for (let i = 0; i <= columns; ++i) {
      const anchor = i === 0 ? "start" : i === columns ? "end" : "middle";
      const time = begin + ((end - begin) * i) / columns;
      const text = svg("text", { x: scale.x(time), y: height - 5, "text-anchor": anchor });
      text.textContent = clockSeconds(time);
      rows.push(text);
    }
    grid.replaceChildren(...rows);
  }

  function redraw() {
    const width = element.clientWidth;
    const isEmpty = points.length < 2 || width === 0;
    show(empty, isEmpty);
    setAttribute(plot, "visibility", isEmpty ? "hidden" : "visible");
    if (isEmpty) return point(-1);
    setAttribute(plot, "viewBox", `0 0 ${width} ${height}`);
    const highest = Math.max(...points.map((each) => each.value));
    // A band may be many times as high as its line: then its top is cut off.
    const wanted = Math.max(highest, Math.min(3 * highest, Math.max(...points.map((each) => each.high ?? 0))));
    const top = wanted > 0 ? stepOf(wanted, 4) * Math.ceil(wanted / stepOf(wanted, 4)) : 1;
    const [begin, end] = [points[0].time, points.at(-1).time];
    scale = {
      x: (time) => LEFT + ((time - begin) / (end - begin || 1)) * (width - LEFT - RIGHT),
      y: (value) => height - BOTTOM - (Math.min(value, top) / top) * (height - TOP - BOTTOM),
    };
    const values = points.map((each) => [scale.x(each.time), scale.y(each.value)]);
    setAttribute(stroke, "d", line(values));
    const hasBand = points.some((each) => each.high !== undefined);
    const floor = height - BOTTOM;
    setAttribute(area, "d", hasBand ? "" : `${line(values)}L${values.at(-1)[0]} ${floor}L${values[0][0]} ${floor}Z`);
    const upper = points.map((each) => [scale.x(each.time), scale.y(each.high ?? each.value)]);
    const lower = points.map((each) => [scale.x(each.time), scale.y(each.low ?? each.value)]).reverse();
    setAttribute(band, "d", hasBand ? `${line(upper)}${line(lower).replace("M", "L")}Z` : "");
    drawGrid(width, top);
    point(Math.min(at, points.length - 1));
  }

  element.addEventListener("pointermove", (event) => {
    if (points.length < 2) return;
    const width = element.clientWidth - LEFT - RIGHT;
    const share = (event.clientX - element.getBoundingClientRect().left - LEFT) / width;
    const time = points[0].time + share * (points.at(-1).time - points[0].time);
    let nearest = 0;
    points.forEach((each, i) => {
      if (Math.abs(each.time - time) < Math.abs(points[nearest].time - time)) nearest = i;
    });
    point(nearest);
  });
  element.addEventListener("pointerleave", () => point(-1));
  element.addEventListener("blur", () => point(-1));
  element.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!move || points.length < 2) return;
    event.preventDefault();
    point(Math.max(0, Math.min(points.length - 1, (at < 0 ? points.length : at) + move)));
  });
  new ResizeObserver(redraw).observe(element);

  return {
    element,
    draw(values, summary) {
      points = values;
      setAttribute(element, "aria-label", `${label}: ${summary}`);
      redraw();
    },
  };
}
