// The page: one view at a time, chosen by what is behind the # of its address, over one feed.

import { say, setText, show } from "./dom.js";
import { ask, Feed } from "./feed.js";
import { Families } from "./families.js";
import { clockSeconds, words } from "./format.js";
import { Overview, titleOf } from "./overview.js";
import { SessionView } from "./session.js";

const part = (id) => document.getElementById(id);

const feed = new Feed();
let view = null;

// "#/session/ID" or "#/families"; everything else is the overview.
function viewFor(hash) {
  const [, name, id] = hash.split("/");
  if (name === "session" && id) return new SessionView(feed, decodeURIComponent(id));
  return name === "families" ? new Families() : new Overview(feed);
}

function route() {
  view?.close();
  view = viewFor(location.hash);
  part("main").replaceChildren(view.element);
  document.title = `${view.title} · progress-agent`;
  const name = location.hash.startsWith("#/families") ? "families" : "sessions";
  for (const link of document.querySelectorAll("nav [data-view]")) {
    if (link.dataset.view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  scrollTo(0, 0);
}

function showLink() {
  const state = feed.isConnected ? "live" : feed.heardAt ? "lost" : "connecting";
  part("link").dataset.state = state;
  setText(part("link-text"), state);
  document.body.classList.toggle("is-old", state === "lost");
  const isLost = !feed.isConnected && feed.retryAt !== null;
  if (isLost) {
    const seconds = Math.max(0, Math.ceil((feed.retryAt - Date.now()) / 1000));
    const since = feed.heardAt ? ` What you see is from ${clockSeconds(feed.heardAt)}.` : "";
    setText(part("lost-text"), `The connection to the agent is lost.${since}`);
    setText(part("lost-when"), seconds > 0 ? `Trying again in ${seconds} s.` : "Trying again.");
  }
  show(part("lost"), isLost && !feed.isConnected);
}

// What somebody who does not see the page should hear of.
function announce({ id, what }) {
  const session = feed.sessions.get(id);
  if (what === "sessionEnded" && session) say(`${titleOf(session)}: ${words(session.state)}`);
  const alert = what === "alert" && session?.alerts?.at(-1);
  if (alert && alert.state === "firing") say(`${titleOf(session)}: ${alert.name}`);
  if (what === "sessionStarted" && session) say(`${titleOf(session)} has started`);
}

for (const type of ["all", "session", "file"]) {
  feed.addEventListener(type, ({ detail }) => {
    view?.onFeed(type, detail);
    if (type === "session") announce(detail);
  });
}
feed.addEventListener("link", showLink);
setInterval(showLink, 1000);
part("lost-now").addEventListener("click", () => feed.retryNow());
addEventListener("hashchange", () => {
  route();
  part("main").focus({ preventScroll: true });
});

route();
feed.start();
showLink();
ask("v1/families").then((answer) => {
  if (answer) document.querySelector('[data-view="families"]').hidden = false;
});
