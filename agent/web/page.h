// The page that a browser shows of the agent: the files of agent/web/page, compiled in by
// page.cmake, and the routes that serve them. And the runbook of the alerts, that part of
// alerts/README.md, compiled in by runbook.cmake: where `runbookUrl` leads, unless
// `alerts.runbook_url` says otherwise. Constant; event loop only.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "agent/web/routes.h"

namespace agent::web {

struct PageFile {
  std::string_view name;  // "app.js"
  std::string_view text;
};

std::span<const PageFile> page_files();

// Its sections as HTML, each below a heading whose id is the alert's name in small letters.
std::string_view runbook();

// GET /, GET /page/{file} and GET /runbooks.
std::vector<Route> page_routes();

}  // namespace agent::web
