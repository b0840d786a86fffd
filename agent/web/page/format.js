// Numbers as people read them. What is unknown is a dash.

export const UNKNOWN = "–";

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumSignificantDigits: 3 });

// Making a formatter costs far more than using it.
function kept(make) {
  const made = new Map();
  return (...key) => {
    const name = key.join(" ");
    if (!made.has(name)) made.set(name, make(...key));
    return made.get(name);
  };
}
const digitsOf = (digits) => ({ minimumFractionDigits: digits, maximumFractionDigits: digits });
const decimal = kept((digits) => new Intl.NumberFormat(undefined, digitsOf(digits)));
const currencies = kept((digits, currency) => {
  try {
    return new Intl.NumberFormat(undefined, { style: "currency", currency, ...digitsOf(digits) });
  } catch {  // a unit of its own, or none
    return { format: (value) => [decimal(digits).format(value), currency].filter(Boolean).join(" ") };
  }
});
const time = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const hours = new Intl.DateTimeFormat(undefined, time);
const seconds = new Intl.DateTimeFormat(undefined, { ...time, second: "2-digit" });
const days = new Intl.DateTimeFormat(undefined, { ...time, weekday: "short", day: "numeric", month: "short" });

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

export function count(value) {
  return isNumber(value) ? whole.format(value) : UNKNOWN;
}
export function compact(value) {
  if (!isNumber(value)) return UNKNOWN;
  return Math.abs(value) < 10_000 ? number(value, value < 10 && value % 1 ? 1 : 0) : short.format(value);
}
export function number(value, digits) {
  if (!isNumber(value)) return UNKNOWN;
  return decimal(digits).format(value);
}
export function percent(value, digits = 0) {
  return isNumber(value) ? `${number(value, digits)} %` : UNKNOWN;
}
// 0..1
export function ratio(value, digits = 0) {
  return percent(isNumber(value) ? value * 100 : value, digits);
}
// Progress never claims to be done before it is.
export function progress(value) {
  if (!isNumber(value)) return UNKNOWN;
  return value >= 100 ? "100 %" : percent(Math.floor(value * 10) / 10, 1);
}

export function bytes(value) {
  if (!isNumber(value)) return UNKNOWN;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${number(value, unit && value < 100 ? 1 : 0)} ${units[unit]}`;
}

export function money(value, currency) {
  if (!isNumber(value)) return UNKNOWN;
  return currencies(value !== 0 && Math.abs(value) < 0.1 ? 3 : 2, currency ?? "").format(value);
}

// Each up to two of the next: the half ones in between (90 s) need no decimals.
const UNITS = [
  { name: "s", ms: 1000, until: 2 * 60_000 },
  { name: "min", ms: 60_000, until: 2 * 3_600_000 },
  { name: "h", ms: 3_600_000, until: 48 * 3_600_000 },
  { name: "days", ms: 86_400_000, until: Infinity },
];
const unitOf = (ms) => UNITS.find((unit) => ms < unit.until);
// One decimal where the unit is long and the number small: 2.5 min, but 12 min.
function inUnit(ms, unit) {
  const tenths = Math.round((10 * ms) / unit.ms);
  return number(tenths / 10, unit.ms > 1000 && tenths < 100 && tenths % 10 ? 1 : 0);
}

export function duration(ms) {
  if (!isNumber(ms)) return UNKNOWN;
  const unit = unitOf(Math.max(0, ms));
  return `${inUnit(Math.max(0, ms), unit)} ${unit.name}`;
}
// Of one file: milliseconds count.
export function shortDuration(ms) {
  if (!isNumber(ms)) return UNKNOWN;
  if (ms < 1000) return `${number(ms, 0)} ms`;
  return ms < 10_000 ? `${number(ms / 1000, 1)} s` : duration(ms);
}
// "12–18 min", "40 s – 3 min"
export function range(low, high) {
  if (!isNumber(low) || !isNumber(high)) return UNKNOWN;
  const unit = unitOf(high);
  const isSameUnit = low >= unit.ms || low === 0 || unit.ms === 1000;
  if (!isSameUnit) return `${duration(low)} – ${duration(high)}`;
  const from = inUnit(low, unit);
  const to = inUnit(high, unit);
  return from === to ? `${to} ${unit.name}` : `${from}–${to} ${unit.name}`;
}

const sameDay = (a, b) => a.toDateString() === b.toDateString();

// "14:32", or with its day when that is another
export function clock(moment, now = new Date()) {
  const date = new Date(moment);
  if (Number.isNaN(date.getTime())) return UNKNOWN;
  return (sameDay(date, now) ? hours : days).format(date);
}
export function clockSeconds(moment) {
  const date = new Date(moment);
  return Number.isNaN(date.getTime()) ? UNKNOWN : seconds.format(date);
}
export function words(name) {
  return name.replaceAll("_", " ");
}
