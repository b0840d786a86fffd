// The learned ETA model that the settings name, for the commands that run a tracker. Reads a file.
#pragma once

#include <memory>

#include "agent/eta/model.h"
#include "agent/result.h"
#include "agent/settings/settings.h"

namespace agent::cli {

// Null: none is named, and the one compiled in speaks. The error says who named the file and what
// is wrong with it.
Result<std::shared_ptr<const eta::Model>> load_eta_model(const settings::Settings& settings);

}  // namespace agent::cli
