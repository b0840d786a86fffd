#include "agent/cli/eta_model.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

namespace agent::cli {
namespace {

constexpr std::size_t kMostBytes = std::size_t{64} << 20U;

Result<std::string> read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  char buffer[1 << 16];
  while (in.read(buffer, sizeof buffer) || in.gcount() > 0) {
    text.append(buffer, static_cast<std::size_t>(in.gcount()));
    if (text.size() > kMostBytes) return failure(path + " is larger than any ETA model");
  }
  if (!in.eof()) return failure("cannot read " + path + ": " + std::strerror(errno));
  return text;
}

}  // namespace

Result<std::shared_ptr<const eta::Model>> load_eta_model(const settings::Settings& settings) {
  const std::string& path = settings.eta.model_file;
  if (path.empty()) return nullptr;
  const auto origin = settings.sources.find("eta.model_file");
  const std::string where =
      (origin == settings.sources.end() ? "" : origin->second.text() + ": ") + "eta.model_file: ";
  const auto text = read_text(path);
  if (!text) return failure(where + text.error().message);
  auto model = eta::Model::parse(*text);
  if (!model) return failure(where + path + ": " + model.error().message);
  return model;
}

}  // namespace agent::cli
