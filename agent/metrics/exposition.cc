#include "agent/metrics/exposition.h"

#include "agent/metrics/selection.h"
#include "agent/metrics/sheet.h"

namespace agent::metrics {
namespace {

constexpr int kGzipLevel = 1;  // finds the repeats that pages consist of; README.md has figures

std::array<std::uint64_t, progress::kSessionStateNames.size()> count_states(const View& view) {
  std::array<std::uint64_t, progress::kSessionStateNames.size()> counts{};
  for (const auto& session : view.sessions) ++counts[static_cast<std::size_t>(session->state)];
  return counts;
}

}  // namespace

std::shared_ptr<Text> Exposition::Buffers::take() {
  constexpr std::size_t kSmall = 262'144, kFarTooLarge = 4;
  for (const auto& text : texts_) {
    if (!text || text.use_count() > 1) continue;
    const bool is_wasteful =
        text->capacity() > kSmall && text->size() < text->capacity() / kFarTooLarge;
    if (is_wasteful) *text = Text();
    text->clear();
    return text;
  }
  auto& place = texts_[next_++ % texts_.size()];
  place = std::make_shared<Text>();
  return place;
}

Exposition::Exposition(Settings settings, const Build& build)
    : settings_(std::move(settings)), registry_(build), gzip_(kGzipLevel) {}

Page Exposition::render(View view, const AgentCounts& counts, const Request& request) {
  const ProcessUsage process = process_.read();
  const Everything everything{counts, process, count_states(view), {}, view.own_alerts.get()};
  const Format format = choose_format(request.accept);
  Page page{.body = nullptr,
            .content_type = content_type(format),
            .content_encoding = {},
            .view = choose(std::move(view))};

  const std::shared_ptr<Text> plain = buffers_.take();
  page.series = write(page.view, everything, format, *plain);
  page.body = plain;
  if (!wants_gzip(request.accept_encoding)) return page;
  const std::shared_ptr<Text> compressed = buffers_.take();
  if (!gzip_.compress(plain->view(), *compressed)) return page;
  page.body = compressed;
  page.content_encoding = "gzip";
  return page;
}

View Exposition::choose(View view) {
  const std::size_t all = view.sessions.size();
  View chosen = within_bound(std::move(view), settings_.max_sessions);
  registry_.count_dropped(DropReason::kMaxSessions, all - chosen.sessions.size());
  return chosen;
}

std::uint64_t Exposition::write(const View& view, Everything everything, Format format, Text& out) {
  const Sheet sheet(view, everything.counts, settings_);
  everything.eta_errors = sheet.eta_errors();
  registry_.count_dropped(DropReason::kMaxLabelValues, sheet.folded_values());
  registry_.count_dropped(DropReason::kMaxFileSeries, sheet.files_left_out());
  const std::uint64_t series = serializer_.write_sessions(sheet.sessions(), everything, format,
                                                          settings_.openmetrics_created, out);
  const Collected agent = registry_.collect(everything);
  serializer_.write_collected(agent.families, agent.revision, format, out);
  Serializer::write_end(format, out);
  return series;
}

}  // namespace agent::metrics
