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

Reply answer(std::string_view name) {
  const auto files = page_files();
  const auto file = std::ranges::find(files, name, &PageFile::name);
  if (file == files.end()) {
    return error_reply(404, "not_found", "the page has no file '" + std::string(name) + "'");
  }
  Reply reply;
  reply.content_type = type_of(name);
  reply.body = Body(file->text, nullptr);
  reply.fields.emplace_back("Content-Security-Policy", kPolicy);
  reply.fields.emplace_back("Referrer-Policy", "no-referrer");
  return reply;
}

}  // namespace

std::vector<Route> page_routes() {
  return {
      {Method::get, "/", Access::kRead, [](const Request&) { return answer("index.html"); }},
      {Method::get, "/page/{file}", Access::kRead,
       [](const Request& request) { return answer(request.target.segments[1]); }},
  };
}

}  // namespace agent::web
