#include "agent/web/landing.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "agent/web/target.h"
#include "agent/web/times.h"

namespace agent::web {
namespace {

using progress::FileStatus;
using progress::SessionSnapshot;

constexpr std::size_t kShown = 200;  // sessions; the API has them all

constexpr std::string_view kStyle = R"(:root {
  color-scheme: light dark;
  --ink: #1c2430; --quiet: #5c6775; --paper: #f6f7f9; --card: #fff; --line: #dde1e7; --bar: #2f6fde;
  --good: #1f8a4c; --bad: #c0392b; --wait: #9a6700;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6e9ee; --quiet: #98a3b3; --paper: #12161c; --card: #1a2029; --line: #2c3542; --bar: #6aa0ff;
    --good: #58c486; --bad: #ff8678; --wait: #e3b341;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 3rem; }
header { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: .5rem 2rem; }
h1 { font-size: 1.4rem; margin: 0; }
nav a { margin-right: 1rem; }
a { color: var(--bar); text-decoration: none; }
a:hover { text-decoration: underline; }
ul { list-style: none; margin: 1.5rem 0 0; padding: 0; display: grid; gap: .75rem; }
li { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .9rem 1.1rem; }
.top { display: flex; justify-content: space-between; gap: 1rem; align-items: baseline; }
.name { font-weight: 600; overflow-wrap: anywhere; color: inherit; }
.state { white-space: nowrap; font-size: .85rem; color: var(--quiet); }
.completed { color: var(--good); } .failed, .stalled { color: var(--bad); }
.paused, .rate_limited, .stale, .cancelled { color: var(--wait); }
progress { width: 100%; height: .55rem; margin: .5rem 0 .35rem; accent-color: var(--bar); }
.facts { display: flex; flex-wrap: wrap; gap: 0 1.25rem; color: var(--quiet); font-size: .9rem; }
.facts b { color: var(--ink); font-weight: 600; }
.none { background: none; border-style: dashed; color: var(--quiet); }
code { font-size: .9em; overflow-wrap: anywhere; }
footer { margin-top: 1.5rem; color: var(--quiet); font-size: .85rem; }
)";

// Text as HTML shows it, in attributes too.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string number(double value, int digits) {
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value,
                                 std::chars_format::fixed, digits);
  return end.ec == std::errc() ? std::string(text.data(), end.ptr) : std::string("?");
}

// "40 s", "12 min", "3.5 h": one figure that a person takes in.
std::string duration(Span time) {
  const double s = std::max(0.0, seconds(time));
  if (s < 90) return number(s, 0) + " s";
  if (s < 90 * 60) return number(s / 60, 0) + " min";
  if (s < 48 * 3600) return number(s / 3600, 1) + " h";
  return number(s / 86400, 1) + " days";
}

std::string state_text(progress::SessionState state) {
  std::string text(name_of(state));
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

void add_fact(std::string& html, const std::string& value, std::string_view unit) {
  html.append("<span><b>").append(value).append("</b>").append(unit).append("</span>");
}

void add_facts(std::string& html, const SessionSnapshot& session) {
  const progress::Metrics& m = session.metrics;
  html += "<div class=\"facts\">";
  add_fact(html, number(m.progress_percentage, 1), " %");
  add_fact(html, std::to_string(m.count(FileStatus::kCompleted)),
           " of " + std::to_string(m.total_files) + " done");
  if (const auto failed = m.count(FileStatus::kFailed))
    add_fact(html, std::to_string(failed), " failed");
  if (m.current_throughput && !is_ended(session.state)) {
    add_fact(html, number(*m.current_throughput, 1), " per minute");
  }
  if (session.eta) {
    add_fact(html, duration(session.eta->low) + " – " + duration(session.eta->high), " to go");
  }
  add_fact(html, duration(m.elapsed), is_ended(session.state) ? " in all" : " so far");
  html += "</div>";
}

void add_session(std::string& html, const SessionSnapshot& session) {
  const std::string name =
      escaped(session.identity->name.empty() ? session.id() : session.identity->name);
  html += "<li><div class=\"top\"><a class=\"name\" href=\"/v1/sessions/" +
          percent_encode(session.id()) + "\">" + name + "</a><span class=\"state " +
          std::string(name_of(session.state)) + "\">" + state_text(session.state) +
          "</span></div><progress max=\"100\" value=\"" +
          number(session.metrics.progress_percentage, 2) + "\" aria-label=\"progress of " + name +
          "\"></progress>";
  add_facts(html, session);
  html += "</li>\n";
}

constexpr std::string_view kEmpty =
    "<li class=\"none\">No session yet. Send the first event to the ingest listener:<br><code>curl "
    "-H "
    "'Content-Type: application/json' -d "
    "'{\"event\":\"progress\",\"session\":\"mine\",\"completed\":3,"
    "\"total\":10}' http://127.0.0.1:19901/v1/events</code></li>\n";

}  // namespace

Reply landing_page(const View& view) {
  std::string html =
      "<!doctype html>\n<html lang=\"en\"><head><meta "
      "charset=\"utf-8\"><title>progress-agent</title>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<meta http-equiv=\"refresh\" content=\"5\"><link rel=\"stylesheet\" "
      "href=\"/page.css\"></head>\n"
      "<body><main><header><h1>progress-agent</h1><nav><a href=\"/metrics\">Metrics</a>"
      "<a href=\"/v1/sessions\">Sessions</a><a "
      "href=\"/v1/status\">Status</a></nav></header>\n<ul>\n";
  // The newest first: it is what one came to see.
  const std::size_t shown = std::min(view.sessions.size(), kShown);
  std::for_each(view.sessions.rbegin(), view.sessions.rbegin() + static_cast<std::ptrdiff_t>(shown),
                [&](const progress::SnapshotPtr& session) { add_session(html, *session); });
  if (view.sessions.empty()) html += kEmpty;
  html += "</ul>\n<footer>";
  if (shown < view.sessions.size()) {
    html += "The newest " + std::to_string(shown) + " of " + std::to_string(view.sessions.size()) +
            " sessions. ";
  }
  html += "As of " + rfc3339(view.at.wall) +
          ", version " AGENT_VERSION ".</footer></main></body></html>\n";
  Reply reply;
  reply.content_type = "text/html; charset=utf-8";
  reply.body = Body(std::move(html));
  reply.fields.emplace_back(
      "Content-Security-Policy",
      "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
      "frame-ancestors 'none'");
  return reply;
}

Reply landing_style() {
  Reply reply;
  reply.content_type = "text/css; charset=utf-8";
  reply.body = Body(kStyle, nullptr);
  return reply;
}

}  // namespace agent::web
