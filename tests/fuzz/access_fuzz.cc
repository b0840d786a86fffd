// A file of access rules of any bytes is read, or refused with faults that a person can place; an
// Authorization field of any bytes is read, or not: no crash, and nothing that is half valid.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/access/bcrypt.h"
#include "agent/access/config.h"
#include "agent/access/credentials.h"

namespace {

using namespace agent::access;
using agent::settings::Document;

void require(bool truth) {
  if (!truth) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  static_cast<void>(read_credentials(text));
  const Document document = Document::parse(text, "fuzz.yml");
  static_cast<void>(schema_of(document));
  for (const Schema schema : {Schema::kWeb, Schema::kIngest}) {
    const auto config = read_config(document, schema);
    if (!config) {
      require(!config.error().empty() && config.error().size() <= agent::settings::kMaxFaults + 1);
      for (const auto& fault : config.error()) require(!fault.message.empty());
      continue;
    }
    require(document.faults().empty());
    for (const auto& [name, hash] : config->users) require(check_bcrypt(hash).has_value());
    require(schema == Schema::kIngest || config->token_files.empty());
    require(!config->tls || (config->tls->certificate.is_given() && config->tls->key.is_given()));
  }
  return 0;
}
