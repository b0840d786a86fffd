// What a session or a file is doing: a shape, a word, and a tone. Never the tone alone.

import { el, setText, svg } from "./dom.js";
import { words } from "./format.js";

const SHAPES = {
  play: "M5 3.5v9l7-4.5z",
  dots: "M3 8h.01M8 8h.01M13 8h.01",
  clock: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 5v3.2l2 1.6",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  alert: "M8 2.2 14.4 13.6H1.6zM8 6.5v3.2M8 11.7h.01",
  check: "m3 8.5 3.3 3.3L13 4.8",
  cross: "m4 4 8 8m0-8-8 8",
  stop: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM4 4l8 8",
  moon: "M12.8 9.8A5.5 5.5 0 0 1 6.2 3.2a5.5 5.5 0 1 0 6.6 6.6z",
  flag: "M4 14V2.5h8l-2 3 2 3H4",
  skip: "m3 4 5 4-5 4zm6 0 4 4-4 4",
  bell: "M8 2.2a3.8 3.8 0 0 0-3.8 3.8c0 4-1.7 5-1.7 5h11s-1.7-1-1.7-5A3.8 3.8 0 0 0 8 2.2zM6.8 13.4h2.4",
  light: "M5.2 9.6a4 4 0 1 1 5.6 0c-.6.6-.8 1.2-.8 1.9H6c0-.7-.2-1.3-.8-1.9zM6.5 13.8h3",
  back: "M10 3 5 8l5 5",
  next: "m6 3 5 5-5 5",
};

const STATES = {
  working: ["play", "go"], finishing: ["flag", "go"], waiting: ["dots", "quiet"],
  rate_limited: ["clock", "wait"], stalled: ["alert", "bad"], paused: ["pause", "wait"],
  completed: ["check", "good"], failed: ["cross", "bad"], cancelled: ["stop", "quiet"], stale: ["moon", "quiet"],
  pending: ["dots", "quiet"], processing: ["play", "go"], skipped: ["skip", "quiet"],
  critical: ["alert", "bad"], warning: ["alert", "wait"], info: ["light", "go"],
};

export const ENDED = new Set(["completed", "failed", "cancelled", "stale"]);
export const TROUBLED = new Set(["failed", "stalled", "rate_limited"]);
export const isOver = (session) => ENDED.has(session.state) || session.session.isTracking === false;

export function icon(name) {
  return svg("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { d: SHAPES[name] }));
}

export const toneOf = (state) => STATES[state]?.[1] ?? "quiet";

// A badge, and how to change what it says.
export function badge(state) {
  const word = el("span");
  const element = el("span", { class: "badge" }, icon("dots"), word);
  const set = (now) => {
    if (element.dataset.state === now) return;
    element.dataset.state = now;
    element.dataset.tone = toneOf(now);
    element.firstChild.replaceWith(icon(STATES[now]?.[0] ?? "dots"));
    setText(word, words(now));
  };
  set(state);
  return { element, set };
}
