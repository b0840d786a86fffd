// Gates: the access rules of both HTTP listeners, opened before anything listens. Owned by `Agent`;
// event loop only once it runs.
#pragma once

#include <memory>

#include "agent/access/digest.h"
#include "agent/access/gate.h"
#include "agent/access/passwords.h"
#include "agent/settings/settings.h"

namespace agent::cli {

struct Gates {
  access::DigestKey key;
  access::Passwords passwords{key};
  std::shared_ptr<access::Gate> web, ingest;  // null: open to everybody

  // Reads the files of both again; false, and logged, where one had to stay as it was.
  bool reload();
  [[nodiscard]] bool are_current() const;
};

// The faults of both files.
Result<std::unique_ptr<Gates>, settings::Faults> open_gates(const settings::Settings& settings);

}  // namespace agent::cli
