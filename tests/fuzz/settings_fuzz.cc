// A configuration file of any bytes is read, or refused with faults that a person can place: no
// crash, no fault without a message, no more faults than are listed, and what is accepted can be
// shown and is accepted again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/settings/load.h"

namespace {

using namespace agent::settings;

void require(bool truth) {
  if (!truth) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view yaml(reinterpret_cast<const char*>(bytes), size);
  const Document document = Document::parse(yaml, "fuzz.yaml");
  const auto settings = from(&document, {});
  if (!settings) {
    require(!settings.error().empty() && settings.error().size() <= kMaxFaults + 1);
    for (const Fault& fault : settings.error()) require(!fault.message.empty());
    return 0;
  }
  require(document.faults().empty());
  require(!describe(*settings).empty());
  const Reloaded same = reload(*settings, *settings);
  require(same.changed.empty() && same.waiting_for_restart.empty());
  return 0;
}
