#include "agent/web/page.h"

#include <algorithm>
#include <string>

namespace agent::web {
namespace {

// Nothing but what this agent serves, no script or style within the page, and text never as markup.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

std::string_view type_of(std::string_view name) {
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".svg")) return "image/svg+xml";
  return "text/html; charset=utf-8";
}

Reply document(Body body, std::string_view type) {
  Reply reply;
  reply.content_type = type;
  reply.body = std::move(body);
  reply.fields.emplace_back("Content-Security-Policy", kPolicy);
  reply.fields.emplace_back("Referrer-Policy", "no-referrer");
  return reply;
}

Reply answer(std::string_view name) {
  const auto files = page_files();
  const auto file = std::ranges::find(files, name, &PageFile::name);
  if (file == files.end()) {
    return error_reply(404, "not_found", "the page has no file '" + std::string(name) + "'");
  }
  return document(Body(file->text, nullptr), type_of(name));
}

Reply runbooks() {
  std::string page(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<title>Runbook of progress-agent</title>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<link rel=\"stylesheet\" href=\"page/page.css\">\n</head>\n"
      "<body>\n<main class=\"plain runbook\">\n<h1>Runbook</h1>\n");
  page.append(runbook()).append("</main>\n</body>\n</html>\n");
  return document(Body(std::move(page)), type_of("runbooks.html"));
}

}  // namespace

std::vector<Route> page_routes() {
  return {
      {Method::get, "/", Access::kRead, [](const Request&) { return answer("index.html"); }},
      {Method::get, "/page/{file}", Access::kRead,
       [](const Request& request) { return answer(request.target.segments[1]); }},
      {Method::get, "/runbooks", Access::kRead, [](const Request&) { return runbooks(); }},
  };
}

}  // namespace agent::web
