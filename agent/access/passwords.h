// Passwords: checks names and passwords against bcrypt hashes, one after another in a thread of its
// own, because each takes a tenth of a second and more; and remembers the good ones, so that a
// scraper pays once. What is remembered are digests of name, password and hash together: nobody
// else can make one, and a changed file makes them void. An unknown name costs what a known one
// does. All calls from the event loop; the thread starts with the first check.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "agent/access/config.h"
#include "agent/access/digest.h"

namespace agent::access {

class Passwords {
 public:
  static constexpr std::size_t kMostRemembered = 128;
  static constexpr std::size_t kMostWaiting = 32;

  explicit Passwords(const DigestKey& key) : key_(key) {}
  ~Passwords();
  Passwords(const Passwords&) = delete;
  Passwords& operator=(const Passwords&) = delete;

  // One name and password to be checked.
  struct Claim {
    std::string hash;       // of the name, or of another where it is unknown
    bool is_known = false;  // the name
    std::string password;
    Digest digest{};
  };
  [[nodiscard]] Claim claim(const Config& config, std::string_view name,
                            std::string_view password) const;

  // Whether this very claim was good before.
  [[nodiscard]] bool remembers(const Claim& claim) const;
  // Checks it and calls `done`, which must not block, from the thread; false, and nothing is
  // called: too many wait.
  [[nodiscard]] bool check(Claim claim, std::function<void(bool)> done);
  void remember(const Digest& digest);

  [[nodiscard]] const DigestKey& key() const { return key_; }

  // No check is taken any more, and those under way are dropped without an answer. Waits for none.
  void stop();

 private:
  struct Check {
    Claim claim;
    std::function<void(bool)> done;
  };
  // What the thread works on; it may outlive the rest, in the middle of a check.
  struct Work {
    std::mutex mutex;
    std::condition_variable wakes;
    std::deque<Check> waiting;          // guarded by mutex, as all that follows
    std::function<void(bool)> current;  // whom the check under way is for
    bool stopped = false;
  };
  static void run(const std::shared_ptr<Work>& work);

  // Of the event loop's thread.
  const DigestKey& key_;
  std::vector<Digest> remembered_;
  std::size_t next_ = 0;  // the one to give way
  std::thread thread_;
  const std::shared_ptr<Work> work_ = std::make_shared<Work>();
};

}  // namespace agent::access
