"""The page in a real browser."""

import time
import unittest
import urllib.parse
from pathlib import Path

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from harness import npm
from harness.agent import Agent, lines
from harness.browser import Browser
from harness.polling import until

PACKAGES = Path(__file__).resolve().parent / "packages"
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
LONG = "\u2603" * 42  # 126 of the 128 bytes that a session's name may have
LONG_FILE = "\u00fc\u2603\U0001f600" * 55 + "\u00fc"  # 497 bytes


def file(name, status, session="s", **fields):
    return {"event": "file", "session": session, "file": name, "status": status, **fields}


def address(agent, view=""):
    return f"http://127.0.0.1:{agent.web_port}/{view}"


def session_view(name):
    return "#/session/" + urllib.parse.quote(name, safe="")


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.driver.quit)

    def setUp(self):
        self.browser.resize(1280, 900)
        self.browser.open("about:blank")
        self.browser.complaints()
        self.browser.hosts()

    def test_an_event_is_seen_at_once(self):
        with Agent() as agent:
            agent.post([{"event": "session.start", "session": "s", "name": "nightly", "totalFiles": 4}])
            self.browser.open(address(agent))
            self.browser.sees(".row", "0.0 %")
            for done, shown in ((1, "25.0 %"), (2, "50.0 %"), (3, "75.0 %")):
                agent.post([file(f"{done}.pdf", "completed")])
                self.browser.sees(".row", shown, seconds=1.5)
            agent.post([{"event": "session.end", "session": "s", "status": "failed"}])
            self.browser.sees(".row .badge", "failed", seconds=1.5)
            self.assertEqual([], self.browser.complaints())

    def test_a_session_in_full(self):
        now = time.time()
        with Agent() as agent:
            events = [{"event": "session.start", "session": "s", "totalFiles": 60, "ts": now - 120, "currency": "EUR"}]
            for i in range(30):
                events.append(file(f"{i}.pdf", "processing", ts=now - 119 + 3 * i, stage="parse"))
                events.append(file(f"{i}.pdf", "failed" if i % 5 == 0 else "completed", ts=now - 117 + 3 * i, cost=0.5,
                                   **({"error": "unreadable"} if i % 5 == 0 else {})))
            agent.post([*events, file("last.pdf", "processing", progress=40, stage="embed")])
            self.browser.open(address(agent, session_view("s")))
            for selector, text in ((".hero-percent", "50"), (".hero-time", "to go"), (".counts", "24\ncompleted"),
                                   (".counts", "6\nfailed"), (".facts", "€15.00"), (".methods", "linear"),
                                   (".notice", "failed"), (".stages", "embed"), (".file", "last.pdf"),
                                   (".file-error", "unreadable")):
                self.browser.sees(selector, text)
            self.browser.run("document.querySelector('[data-status=failed]').click()")
            self.browser.sees(".card .note", "6 of 31")
            self.browser.run("location.hash = '#/'")
            self.browser.sees(".row", "24 of 60")
            self.assertEqual([], self.browser.complaints())

    def test_an_alert_appears_and_is_dismissed(self):
        with Agent("--web.enable-admin-api") as agent:
            agent.post([{"event": "session.start", "session": "s", "totalFiles": 2}])
            self.browser.open(address(agent))
            self.browser.sees(".row", "s")
            agent.post([file("a", "completed"), file("b", "failed", error="no"),
                        {"event": "session.end", "session": "s", "status": "completed"}])
            self.browser.sees(".row .badge", "1 firing", seconds=5)
            self.browser.run("location.hash = arguments[0]", session_view("s"))
            self.browser.sees(".notice", "SuccessRateBelowTarget")
            self.browser.sees(".notice button", "Dismiss")
            self.browser.run("document.querySelector('.notice button').click()")
            until(lambda: "SuccessRateBelowTarget" not in self.browser.text(".session"))
            self.assertEqual([], agent.get("/v1/alerts").json()["items"])

    def test_names_stay_text(self):
        with Agent() as agent:
            agent.post([{"event": "session.start", "session": HOSTILE, "name": HOSTILE, "labels": {"a": HOSTILE}},
                        file(HOSTILE, "failed", HOSTILE, error=HOSTILE, stage=HOSTILE),
                        file(LONG_FILE, "processing", LONG), {"event": "session.end", "session": HOSTILE,
                                                              "status": "failed", "reason": HOSTILE}])
            self.browser.open(address(agent))
            self.browser.sees(".row-title", HOSTILE)
            self.browser.sees(".row-title", LONG)
            self.assertLessEqual(self.browser.run("return document.documentElement.scrollWidth"), 1280)
            self.browser.run("location.hash = arguments[0]", session_view(HOSTILE))
            self.browser.sees(".file-name", HOSTILE[:40])
            self.browser.sees(".hero-ready", HOSTILE)
            self.browser.run("location.hash = arguments[0]", session_view(LONG))
            until(lambda: self.browser.run("return [...document.querySelectorAll('.file-name')]"
                                           ".some((e) => e.textContent === arguments[0])", LONG_FILE))
            self.assertNotIn("owned", self.browser.run("return document.title"))
            self.assertEqual(0, self.browser.run("return document.querySelectorAll('main script, main img').length"))
            self.assertEqual([], self.browser.complaints())

    def test_says_that_the_connection_is_lost_and_comes_back(self):
        with Agent() as agent:
            agent.post([{"event": "session.start", "session": "before"}])
            self.browser.open(address(agent))
            self.browser.sees(".row", "before")
            port = agent.web_port
        self.browser.sees("#lost", "The connection to the agent is lost")
        self.browser.sees("#link", "lost")
        self.assertIn("before", self.browser.text(".rows"))
        with Agent(f"--web.listen-address=127.0.0.1:{port}", ready=False) as agent:
            agent.web_port = port
            until(agent.is_ready, 30)
            agent.post([{"event": "session.start", "session": "after"}])
            self.browser.sees(".row", "after", seconds=20)
            self.browser.sees("#link", "live")
            self.assertNotIn("before", self.browser.text(".rows"))
            self.assertFalse(self.browser.run("return document.getElementById('lost').checkVisibility()"))

    def test_asks_nobody_but_the_agent(self):
        with Agent() as agent:
            agent.post([file("a.pdf", "processing")])
            self.browser.open(address(agent))
            self.browser.sees(".row", "s")
            self.browser.run("location.hash = arguments[0]", session_view("s"))
            self.browser.sees(".file", "a.pdf")
            self.assertEqual({f"127.0.0.1:{agent.web_port}"}, self.browser.hosts())

    def test_ten_thousand_files(self):
        with Agent() as agent:
            with agent.stream() as stream:
                stream.send_bytes(lines(file(f"{i:05d}.dat", "completed", bytes=i) for i in range(10_000)))
                stream.finish()
            self.browser.open(address(agent, session_view("s")))
            self.browser.sees(".card .note", "10,000", seconds=30)
            self.assertLess(self.browser.run("return document.querySelectorAll('.file').length"), 100)
            self.browser.run("const f = document.querySelector('.files'); f.scrollTop = f.scrollHeight;")
            self.browser.sees(".file", "09999.dat")
            agent.post([file("09999.dat", "processing", progress=12)])
            self.browser.sees(".file .badge", "processing", seconds=5)

    def test_ten_thousand_files_scroll_smoothly(self):
        """By the browser's own trace: no task of the page's thread takes so much CPU that a frame would be late. What else the
        machine does is not the page's doing, and not in it."""
        frames = 200
        with Agent() as agent, Browser(trace=True) as browser:
            with agent.stream() as stream:
                stream.send_bytes(lines(file(f"{i:05d}.dat", "completed", bytes=i) for i in range(10_000)))
                stream.finish()
            browser.open(address(agent, session_view("s")))
            browser.sees(".card .note", "10,000", seconds=30)
            reached = browser.driver.execute_async_script("""
                const [frames, done] = arguments;
                const files = document.querySelector(".files");
                performance.mark("scroll");
                const seen = new Set();
                let frame = 0;
                const next = () => {
                  seen.add(document.querySelector(".file-name")?.textContent);
                  if (frame === frames) return done(seen.size);
                  files.scrollTop = (files.scrollHeight - files.clientHeight) * ++frame / frames;
                  requestAnimationFrame(next);
                };
                requestAnimationFrame(next);
            """, frames)
            tasks = browser.main_thread_tasks("scroll")
        self.assertGreater(reached, frames / 2, "it shows other files as it scrolls")
        self.assertGreater(len(tasks), frames, "the trace holds the frames")
        self.assertLess(max(tasks), 100, "milliseconds of CPU in one frame")

    def test_two_hundred_sessions(self):
        with Agent() as agent:
            agent.post([file("a", "processing", f"job-{i:03d}", progress=i / 2) for i in range(200)])
            self.browser.open(address(agent))
            self.browser.sees(".tile", "200")
            self.assertEqual(200, self.browser.run("return document.querySelectorAll('.row').length"))
            self.browser.run("const s = document.querySelector('[type=search]'); s.value = 'job-123';"
                             "s.dispatchEvent(new Event('input'))")
            until(lambda: self.browser.run("return document.querySelectorAll('.row').length") == 1)
            self.browser.sees(".row", "job-123")

    def test_fits_every_width(self):
        with Agent() as agent:
            agent.post([{"event": "session.start", "session": "s", "totalFiles": 4, "labels": {"team": "x" * 60}},
                        file("y" * 300, "failed", error="z" * 300), file("b", "processing")])
            for width in (320, 390, 700, 1024, 1920):
                self.browser.resize(width, 800)
                for view, selector in (("", ".row"), (session_view("s"), ".file")):
                    with self.subTest(width=width, view=view):
                        self.browser.open("about:blank")
                        self.browser.open(address(agent, view))
                        self.browser.sees(selector)
                        self.assertLessEqual(self.browser.run("return document.documentElement.scrollWidth"), width)


# What can be told about a page without an expert: names, values, order of headings, contrast.
FAULTS = """
const faults = [];
const seen = [...document.querySelectorAll("body *")].filter((e) => e.checkVisibility());
const name = (e) => e.getAttribute("aria-label") || e.innerText?.trim() || e.getAttribute("title");
const say = (e, what) => faults.push(`${what}: ${e.outerHTML.slice(0, 120)}`);
for (const e of seen) {
  if (e.matches("a, button, input, select, summary, [role=progressbar], [role=img], [role=table]") && !name(e)) {
    say(e, "no name");
  }
  if (e.matches("img") && !e.hasAttribute("alt")) say(e, "no alternative text");
  if (e.matches("[role=progressbar]")) {
    const value = Number(e.getAttribute("aria-valuenow"));
    if (!(value >= 0 && value <= 100)) say(e, "no value");
  }
  if (e.matches(".badge") && (!e.innerText.trim() || !e.querySelector("svg"))) say(e, "a state by its colour alone");
}
if (document.querySelectorAll("h1").length !== 1) faults.push("not one h1");
if (!document.documentElement.lang) faults.push("no language");
const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
if (new Set(ids).size !== ids.length) faults.push("an id twice");

// Contrast, as WCAG 2.1 counts it: 4.5 for text.
const canvas = Object.assign(document.createElement("canvas"), {width: 1, height: 1}).getContext("2d", {willReadFrequently: true});
const rgb = (colour) => {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
};
const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
  .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const ground = (e) => {
  for (; e; e = e.parentElement) {
    const colour = rgb(getComputedStyle(e).backgroundColor);
    if (colour[3] === 255) return colour;
  }
  return [255, 255, 255, 255];
};
for (const e of seen) {
  const isText = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  if (!isText || e.closest(".unseen, .skip, option")) continue;
  const style = getComputedStyle(e);
  const [a, b] = [light(rgb(e instanceof SVGElement ? style.fill : style.color)), light(ground(e))];
  const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (contrast < 4.5) say(e, `contrast ${contrast.toFixed(2)}`);
}
return faults;
"""


# A session in each state, and one with a file in each.
EVERY_STATE = [
    {"event": "session.start", "session": "new"}, file("a", "processing", "working"),
    file("a", "processing", "paused"), {"event": "session.pause", "session": "paused"},
    {"event": "rateLimit", "session": "limited", "delayMs": 600_000},
    *({"event": "session.end", "session": status, "status": status} for status in ("completed", "failed", "cancelled")),
    *(file(status, status, "all", **({"error": "no"} if status == "failed" else {}))
      for status in ("pending", "processing", "completed", "failed", "skipped", "cancelled")),
]
VIEWS = (("", ".row"), (session_view("all"), ".file-error"), ("#/families", ".card"))


class Accessibility(unittest.TestCase):
    def test_in_both_themes(self):
        with Agent() as agent:
            agent.post(EVERY_STATE)
            for dark in (False, True):
                with Browser(dark=dark) as browser:
                    for view, selector in VIEWS:
                        with self.subTest(dark=dark, view=view):
                            browser.open("about:blank")
                            browser.open(address(agent, view))
                            browser.sees(selector)
                            self.assertEqual([], browser.run(FAULTS))

    def test_axe_finds_nothing_serious(self):
        axe = (npm.folder(PACKAGES, "axe-core") / "node_modules" / "axe-core" / "axe.min.js").read_text()
        with Agent("--web.enable-admin-api") as agent:
            agent.post(EVERY_STATE)
            for dark in (False, True):
                with Browser(dark=dark) as browser:
                    for view, selector in VIEWS:
                        with self.subTest(dark=dark, view=view):
                            browser.open("about:blank")
                            browser.open(address(agent, view))
                            browser.sees(selector)
                            browser.run(axe)
                            found = browser.driver.execute_async_script(
                                "axe.run(document).then(arguments[0], (fault) => arguments[0]({fault: String(fault)}))")
                            self.assertNotIn("fault", found)
                            self.assertGreater(len(found["passes"]), 15, "it has looked")
                            self.assertEqual([], [(each["id"], each["impact"], [node["html"] for node in each["nodes"]])
                                                  for each in found["violations"] if each["impact"] in ("serious", "critical")])

    def test_by_keyboard_alone(self):
        with Agent() as agent, Browser() as browser:
            agent.post([file("a", "processing", "first")])
            browser.open(address(agent))
            browser.sees(".row", "first")
            def press(key):
                browser.driver.switch_to.active_element.send_keys(key)

            def focused(selector):
                return browser.run("return document.activeElement.matches(arguments[0])", selector)

            browser.driver.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
            self.assertTrue(focused(".skip"))
            for _ in range(30):
                if focused(".row-title"):
                    break
                press(Keys.TAB)
            self.assertTrue(focused(".row-title"))
            press(Keys.ENTER)
            browser.sees(".file", "a")
            self.assertTrue(focused("#main"))


if __name__ == "__main__":
    unittest.main()
