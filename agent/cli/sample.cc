#include "agent/cli/sample.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace agent::cli {

std::array<Story, 6> stories() {
  return {{
      {"invoices",
       {"parse", "extract", "store"},
       "openai",
       "gpt-4o-mini",
       "billing",
       Trouble::kNone,
       240,
       9,
       4},
      {"embeddings",
       {"split", "embed", "upload"},
       "openai",
       "text-embedding-3-large",
       "search",
       Trouble::kRateLimits,
       320,
       6,
       6},
      {"legacy-import",
       {"read", "convert", "write"},
       "anthropic",
       "claude-3-5-haiku",
       "data",
       Trouble::kFailures,
       180,
       8,
       4},
      {"scans",
       {"fetch", "ocr", "index"},
       "azure",
       "read-4.0",
       "archive",
       Trouble::kStall,
       150,
       12,
       3},
      {"warehouse-sync", {"diff", "copy", "verify"}, "", "", "data", Trouble::kBreakOff, 400, 5, 8},
      {"thumbnails", {"decode", "resize", "upload"}, "", "", "media", Trouble::kNone, 600, 2.5, 6},
  }};
}

std::uint64_t Dice::next() {
  std::uint64_t z = state_ += 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

double Dice::uniform() { return static_cast<double>(next() >> 11U) * 0x1p-53; }

double Dice::skewed(double mean) {
  // A sum of three uniforms is near enough to a bell; its exponential is skewed. 1.13 keeps the
  // mean.
  const double bell = uniform() + uniform() + uniform() - 1.5;
  return mean * std::exp(bell) / 1.13;
}

SampleJob::SampleJob(const Story& story, std::size_t slot, std::uint64_t seed, double speed)
    : story_(story), slot_(slot), speed_(speed), dice_(seed * 1'000'003 + slot) {
  waiting_ = std::floor(dice_.uniform() * 20);  // not all in the same moment
}

std::string SampleJob::name_of(const File& file) const {
  return fmt::format("{}-{:04}.dat", story_.family, file.number);
}

void SampleJob::say(std::string& out, std::string_view event, std::string_view fields) const {
  out += fmt::format(R"({{"event":"{}","session":"{}-{}-{}",{}}})"
                     "\n",
                     event, story_.family, slot_ + 1, run_, fields);
}

void SampleJob::begin(std::string& out) {
  const bool resume = std::exchange(resume_, false);
  if (!resume) {
    ++run_;
    next_file_ = finished_ = 0;
    broke_off_ = stalled_ = false;
    again_.clear();
  }
  running_ = true;
  const double expected = story_.files * story_.seconds_per_file / story_.concurrency;
  say(out, "session.start",
      fmt::format(R"("name":"{0} run {1}","family":"{0}","totalFiles":{2},"concurrency":{3},)"
                  R"("currency":"USD","costBudget":{4:.2f},"labels":{{"team":"{5}"}},"resume":{6})",
                  story_.family, run_, story_.files, story_.concurrency, expected * 0.01,
                  story_.team, resume));
}

void SampleJob::end(std::string& out, std::string_view status, double pause) {
  say(out, "session.end", fmt::format(R"("status":"{}")", status));
  running_ = false;
  working_.clear();
  waiting_ = pause;
}

void SampleJob::tick(std::string& out) {
  ++second_;
  if (waiting_ > 0) {
    waiting_ -= 1;
    return;
  }
  if (!running_) begin(out);
  if (meet_trouble(out)) return;
  work(out);
  fill_workers(out);
  if (working_.empty()) end(out, "completed", 60 + std::floor(dice_.uniform() * 60));
}

// Whether this second is lost.
bool SampleJob::meet_trouble(std::string& out) {
  const double done = static_cast<double>(finished_) / story_.files;
  if (story_.trouble == Trouble::kRateLimits && dice_.happens(0.02)) {
    const double delay = 5 + std::floor(dice_.uniform() * 15);
    waiting_ = delay;
    say(out, "rateLimit",
        fmt::format(R"("provider":"{}","delayMs":{},"limit":500,"remaining":0)", story_.provider,
                    std::llround(delay * 1000 / speed_)));
    return true;
  }
  if (story_.trouble == Trouble::kStall && !stalled_ && done > 0.55) {
    stalled_ = true;
    waiting_ = 90 * speed_;  // long enough in real time to be noticed
    return true;
  }
  if (story_.trouble == Trouble::kBreakOff && !broke_off_ && done > 0.4) {
    broke_off_ = resume_ = true;
    for (File& file : working_) {
      file.done = 0;
      again_.push_back(file);
    }
    end(out, "failed", 40);
    return true;
  }
  return false;
}

void SampleJob::fill_workers(std::string& out) {
  while (static_cast<int>(working_.size()) < story_.concurrency) {
    File file;
    if (next_file_ < story_.files) {
      file.number = next_file_++;
      file.bytes = dice_.skewed(2e6);
      file.seconds = dice_.skewed(story_.seconds_per_file);
    } else if (!again_.empty()) {
      file = again_.front();
      again_.pop_front();
    } else {
      return;
    }
    say_progress(file, out);
    working_.push_back(file);
  }
}

void SampleJob::work(std::string& out) {
  std::vector<File> going_on;
  for (File& file : working_) {
    file.done += 1;
    if (file.done >= file.seconds) {
      finish(file, out);
    } else {
      if (second_ % 3 == file.number % 3) say_progress(file, out);
      going_on.push_back(file);
    }
  }
  working_ = std::move(going_on);
}

void SampleJob::say_progress(const File& file, std::string& out) const {
  const double share = std::min(0.99, file.done / file.seconds);
  const auto stage = static_cast<std::size_t>(share * 3);
  say(out, "file",
      fmt::format(R"("file":"{}","status":"processing","bytes":{},"progress":{:.1f},"stage":"{}",)"
                  R"("retries":{})",
                  name_of(file), std::llround(file.bytes), share * 100, story_.stage_names[stage],
                  file.retries));
}

void SampleJob::finish(File file, std::string& out) {
  const double failing = story_.trouble == Trouble::kFailures ? 0.25 : 0.01;
  const bool failed = dice_.happens(failing);
  if (!story_.provider.empty()) {
    say(out, "api",
        fmt::format(R"("ok":{},"provider":"{}","model":"{}","durationMs":{},"tokensIn":{},)"
                    R"("tokensOut":{},"cost":{:.5f})",
                    !failed, story_.provider, story_.model, std::llround(dice_.skewed(900)),
                    std::llround(dice_.skewed(1800)), std::llround(dice_.skewed(350)),
                    dice_.skewed(0.012)));
  }
  if (failed) {
    say(out, "file",
        fmt::format(R"("file":"{}","status":"failed","error":"unexpected end of input")",
                    name_of(file)));
    if (file.retries++ == 0) {
      file.done = 0;
      again_.push_back(file);
      return;
    }
  } else {
    say(out, "file",
        fmt::format(R"("file":"{}","status":"completed","quality":{:.3f})", name_of(file),
                    1 - 0.2 * dice_.uniform()));
  }
  ++finished_;
}

Sample::Sample(const SampleOptions& options) : speed_(options.speed), stories_(stories()) {
  jobs_.reserve(options.sessions);
  for (std::size_t i = 0; i < options.sessions; ++i) {
    jobs_.emplace_back(stories_[i % stories_.size()], i, options.seed, options.speed);
  }
}

std::string Sample::until(Duration elapsed) {
  std::string out;
  const auto due = static_cast<std::int64_t>(seconds(elapsed) * speed_);
  for (; seconds_ < due; ++seconds_) {
    for (SampleJob& job : jobs_) job.tick(out);
  }
  return out;
}

}  // namespace agent::cli
