#include "agent/access/rules.h"

#include <utility>

#include "agent/settings/load.h"

namespace agent::access {
namespace {

using settings::Faults;

// A token without the line break that editors leave.
Result<std::string> token_in(const std::string& path) {
  auto text = read_file(path);
  if (!text) return text;
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  if (text->empty()) return failure(path + " is empty: that would let everybody in");
  return text;
}

}  // namespace

Rules::Read Rules::read(const std::string& path, Schema schema, const DigestKey& key,
                        Watch& watch) {
  watch.add(path);
  const settings::Document document = settings::read_document(path);
  auto config = read_config(document, schema);
  if (!config) return failure(std::move(config.error()));
  const std::shared_ptr<Rules> rules(new Rules());
  rules->config_ = *std::move(config);
  Faults faults;
  if (const auto& tls = rules->config_.tls) {
    for (const Pem* pem : {&tls->certificate, &tls->key, &tls->client_ca}) {
      if (!pem->file.path.empty()) watch.add(pem->file.path);
    }
    auto context = TlsContext::load(*tls, path);
    if (context)
      rules->tls_ = *std::move(context);
    else
      faults = std::move(context.error());
  }
  for (const NamedFile& file : rules->config_.token_files) {
    watch.add(file.path);
    const auto token = token_in(file.path);
    if (token)
      rules->tokens_.push_back(key.of({*token}));
    else
      faults.push_back({{path, file.mark}, token.error().message, {}});
  }
  if (!faults.empty()) return failure(std::move(faults));
  return std::shared_ptr<const Rules>(rules);
}

bool Rules::knows_token(const Digest& token) const {
  bool is_known = false;
  for (const Digest& each : tokens_) is_known |= are_equal(each, token);
  return is_known;
}

}  // namespace agent::access
