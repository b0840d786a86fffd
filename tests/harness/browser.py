"""A headless Chromium of the test's own, driven over WebDriver."""

import json
import urllib.parse

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from harness.polling import until

SWITCHES = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars")


TRACED = "disabled-by-default-devtools.timeline,blink.user_timing"


class Browser:
    def __init__(self, width=1280, height=900, dark=False, trace=False):
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for switch in SWITCHES:
            options.add_argument(switch)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        if trace:
            options.add_experimental_option("perfLoggingPrefs", {"traceCategories": TRACED})
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.driver.set_script_timeout(60)
        self.resize(width, height)
        theme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [theme]})

    def resize(self, width, height):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})

    def open(self, url):
        self.driver.get(url)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def text(self, selector):
        """What is to be read in the first such element; "" without one."""
        return self.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def sees(self, selector, text="", seconds=10):
        """Waits until such an element's text holds `text`."""
        script = ("return [...document.querySelectorAll(arguments[0])]"
                  ".some((e) => e.checkVisibility() && e.innerText.includes(arguments[1]))")
        until(lambda: self.run(script, selector, text), seconds,
              lambda: f"{selector} with {text!r}; the page says: " + self.text("body")[:2000])

    def complaints(self):
        """What scripts and policies had to say on the console, but for requests that were not answered."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] in ("SEVERE", "WARNING") and entry["source"] != "network"]

    def hosts(self):
        """Whom it has asked for anything since the last time."""
        found = set()
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.add(message["params"]["request"]["url"])
            if message["method"] == "Network.webSocketCreated":
                found.add(message["params"]["url"])
        return {urllib.parse.urlsplit(url).netloc for url in found if not url.startswith(("data:", "chrome:"))}

    def main_thread_tasks(self, mark):
        """Milliseconds of CPU of each task that the page's main thread has run since the page's performance.mark of that name. Of
        a browser with `trace`, once: the trace ends with it."""
        events = [message["params"] for message in (json.loads(entry["message"])["message"]
                                                    for entry in self.driver.get_log("performance"))
                  if message["method"] == "Tracing.dataCollected"]
        begin = next(event for event in events if event["name"] == mark)
        return [event["tdur"] / 1000 for event in events
                if event["name"] == "RunTask" and event["ts"] >= begin["ts"] and "tdur" in event
                and (event["pid"], event["tid"]) == (begin["pid"], begin["tid"])]

    def picture(self, path):
        self.driver.save_screenshot(str(path))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.quit()
