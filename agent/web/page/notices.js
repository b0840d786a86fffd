// What somebody should look at: alerts, which can be dismissed where the agent allows it, and insights.

import { el, say, setText, show } from "./dom.js";
import { ask } from "./feed.js";
import * as format from "./format.js";
import { badge } from "./state.js";

// Whether this address takes changes at all (--web.enable-admin-api).
const mayChange = ask("v1/status").then((status) => status?.configuration?.web?.enable_admin_api === true);

const isSafeLink = (url) => /^https?:\/\//.test(url ?? "");

export class Notices {
  #shown = "";

  // `changed` is called when an alert was dismissed.
  constructor(changed) {
    this.changed = changed;
    this.alerts = el("ul", { class: "notices" });
    this.insights = el("ul", { class: "notices" });
    this.element = el("section", { class: "card notices-card", "aria-label": "Alerts and insights", hidden: true },
      this.alerts, this.insights);
    mayChange.then((may) => {
      this.may = may;
      if (this.session) this.set(this.session);
    });
  }

  set(session) {
    this.session = session;
    const alerts = (session.alerts ?? []).filter((alert) => !alert.dismissed && alert.state !== "resolved");
    const insights = session.insights ?? [];
    const shown = JSON.stringify([alerts, insights, this.may]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    show(this.element, alerts.length + insights.length > 0);
    this.alerts.replaceChildren(...alerts.map((alert) => this.#alert(alert)));
    this.insights.replaceChildren(...insights.map((insight) =>
      el("li", { class: "notice" }, badge(insight.severity).element, el("p", {}, insight.message))));
  }

  #alert(alert) {
    const since = `${format.words(alert.state)} since ${format.clock(alert.startsAt)}`;
    const runbook = isSafeLink(alert.runbookUrl)
      ? el("a", { href: alert.runbookUrl, rel: "noreferrer" }, "runbook") : null;
    const dismiss = this.may && alert.id ? el("button", {
      type: "button", "aria-label": `Dismiss ${alert.name}`, on: { click: () => this.#dismiss(alert, dismiss) },
    }, "Dismiss") : null;
    return el("li", { class: "notice" }, badge(alert.severity).element,
      el("div", {}, el("p", {}, el("strong", {}, alert.name), ` ${alert.message ?? ""}`),
        el("p", { class: "note" }, [since, alert.recommendation].filter(Boolean).join(" · "), " ", runbook)),
      dismiss);
  }

  async #dismiss(alert, button) {
    button.disabled = true;
    const reply = await fetch(`v1/alerts/${encodeURIComponent(alert.id)}/dismiss`, { method: "POST" }).catch(() => null);
    button.disabled = false;
    if (reply?.ok) {
      say(`${alert.name} is dismissed`);
      this.changed();
    } else {
      setText(button, "Could not be dismissed");
    }
  }
}
