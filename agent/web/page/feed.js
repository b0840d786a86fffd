// The agent's sessions, kept up to date over its WebSocket. When the connection breaks, it is made
// anew, after waits that grow; then everything is told from the beginning.

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
const SILENCE = 30_000;  // after which it is asked whether the agent is still there

export class Feed extends EventTarget {
  sessions = new Map();  // by id, as GET /v1/sessions/{id} has them, in the order first seen
  heardAt = null;        // the last message
  isConnected = false;
  retryAt = null;        // when the next try is due

  #socket = null;
  #timer = null;
  #wait = FIRST_WAIT;

  start() {
    addEventListener("online", () => this.retryNow());
    setInterval(() => this.#checkSilence(), 10_000);
    this.#connect();
  }

  retryNow() {
    if (this.isConnected || this.#socket?.readyState === WebSocket.CONNECTING) return;
    this.#connect();
  }

  #connect() {
    clearTimeout(this.#timer);
    this.retryAt = null;
    const url = new URL("v1/live", document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    url.hash = "";
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.addEventListener("message", (event) => this.#take(JSON.parse(event.data)));
    socket.addEventListener("close", () => {
      if (this.#socket === socket) this.#lose();
    });
  }

  #lose() {
    this.#socket = null;
    this.isConnected = false;
    const wait = this.#wait * (0.75 + Math.random() / 2);
    this.#wait = Math.min(LONGEST_WAIT, this.#wait * 2);
    this.retryAt = Date.now() + wait;
    this.#timer = setTimeout(() => this.#connect(), wait);
    this.#tell("link");
  }

  // A broken network says nothing: when nothing came for long, somebody has to ask.
  async #checkSilence() {
    if (!this.isConnected || Date.now() - this.heardAt < SILENCE) return;
    const socket = this.#socket;
    try {
      await fetch("-/healthy", { signal: AbortSignal.timeout(5000), cache: "no-store" });
    } catch {
      if (this.#socket !== socket) return;
      this.#lose();
      socket.close();
    }
  }

  #take(message) {
    this.heardAt = Date.now();
    const session = this.sessions.get(message.session);
    switch (message.type) {
      case "snapshot":
        this.#begin(message.sessions);
        break;
      case "sessionStarted":
      case "sessionEnded":
        this.sessions.set(message.session.session.id, message.session);
        this.#tell("session", message.session.session.id, message.type);
        break;
      case "removed":
        this.sessions.delete(message.session);
        this.#tell("session", message.session, message.type);
        break;
      case "metrics":
        if (!session) break;
        session.metrics = message.metrics;
        session.state = message.state ?? session.state;
        this.#tell("session", message.session, message.type);
        break;
      case "eta":
        if (!session) break;
        session.eta = message.eta;
        this.#tell("session", message.session, message.type);
        break;
      case "alert":
        if (session) this.#takeAlert(session, message.alert);
        this.#tell("session", message.session, message.type);
        break;
      case "file":
        this.#tell("file", message.session, message.file);
        break;
    }
  }

  #begin(sessions) {
    this.sessions = new Map(sessions.map((session) => [session.session.id, session]));
    this.isConnected = true;
    this.#wait = FIRST_WAIT;
    this.#tell("link");
    this.#tell("all");
  }

  #takeAlert(session, alert) {
    const others = (session.alerts ?? []).filter((other) => other.id !== alert.id);
    const isActive = alert.state !== "resolved" && !alert.dismissed;
    session.alerts = isActive ? [...others, alert] : others;
  }

  #tell(type, id, what) {
    this.dispatchEvent(new CustomEvent(type, { detail: { id, what } }));
  }
}

// An answer of the API; null when the agent does not have it.
export async function ask(path, options) {
  try {
    const reply = await fetch(path, { cache: "no-store", ...options });
    return reply.ok ? await reply.json() : null;
  } catch {
    return null;
  }
}

export const sessionPath = (id, part = "") => `v1/sessions/${encodeURIComponent(id)}${part}`;
