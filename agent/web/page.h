// The page that a browser shows of the agent: the files of agent/web/page, compiled in by
// page.cmake, and the routes that serve them. Constant; event loop only.
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

// GET / and GET /page/{file}.
std::vector<Route> page_routes();

}  // namespace agent::web
