// The landing page: what runs and how far it is, at a glance, without a script. Event loop only.
#pragma once

#include "agent/view.h"
#include "agent/web/reply.h"

namespace agent::web {

Reply landing_page(const View& view);
Reply landing_style();

}  // namespace agent::web
