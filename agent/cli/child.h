// Child: another program, run so that it and its parent see the same as without us: its input is
// ours, its output passes through us, to a terminal where ours is one. Main thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "agent/result.h"

namespace agent::cli {

// A file descriptor that is closed with its owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& from) noexcept : number_(std::exchange(from.number_, -1)) {}
  Descriptor& operator=(Descriptor&& from) noexcept {
    std::swap(number_, from.number_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }

  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool is_open() const { return number_ >= 0; }
  void close();

 private:
  int number_ = -1;
};

class Child {
 public:
  // A stream of the child's, as it is read here, and where what it says goes.
  struct Output {
    Descriptor from;
    int to;
  };

  // Runs `command` with `variables` added to the environment. Every signal of ours that is blocked
  // is not in the child. The error says why it cannot be run; `exit_code` is then a shell's: 126,
  // 127.
  static Result<Child> start(const std::vector<std::string>& command,
                             const std::vector<std::pair<std::string, std::string>>& variables,
                             int& exit_code);

  [[nodiscard]] pid_t pid() const { return pid_; }
  std::vector<Output>& outputs() { return outputs_; }
  Descriptor& events() { return events_; }  // what it writes to its descriptor 3
  // Tells the child's terminal, if it has one, the size of ours.
  void resize() const;

 private:
  Child() = default;

  pid_t pid_ = -1;
  std::vector<Output> outputs_;
  Descriptor events_;
  Descriptor terminal_;
};

}  // namespace agent::cli
