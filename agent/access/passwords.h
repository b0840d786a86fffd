// Passwords: checks names and passwords against bcrypt hashes, one after another in a thread of its
// own, because each takes a tenth of a second and more; and remembers the good ones, so that a
// scraper pays once. What is remembered are digests of name, password and hash together: nobody
// else can make one, and a changed file makes them void; of each user one, so that nobody's push
// out another's. An unknown name costs what a known one does. Who guesses all the time waits for
// his turn (`Turns`), and the thread is nicer than the event loop's. All calls from the event loop;
// the thread starts with the first check.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "agent/access/config.h"
#include "agent/access/digest.h"
#include "agent/access/turns.h"
#include "agent/clock.h"

namespace agent::access {

class Passwords {
 public:
  static constexpr std::size_t kMostRemembered = 128;  // users

  explicit Passwords(const DigestKey& key) : key_(key) {}
  ~Passwords();
  Passwords(const Passwords&) = delete;
  Passwords& operator=(const Passwords&) = delete;

  enum class Verdict : std::uint8_t { kGood, kWrong, kTooManyWait };

  // What is remembered of a name and its password.
  struct Proof {
    Digest user{}, all{};  // of name and hash; of these and the password
  };
  // One name and password to be checked.
  struct Claim {
    std::string hash;       // of the name, or of another where it is unknown
    bool is_known = false;  // the name
    std::string password;
    Proof proof;
  };
  [[nodiscard]] Claim claim(const Config& config, std::string_view name,
                            std::string_view password) const;

  // Whether this very claim was good before.
  [[nodiscard]] bool remembers(const Claim& claim) const;
  // Checks it in its sender's turn and calls `done`, which must not block, from any thread.
  void check(Sender sender, Claim claim, std::function<void(Verdict)> done);
  void remember(const Proof& proof);

  [[nodiscard]] const DigestKey& key() const { return key_; }

  // No check is taken any more, and those under way are dropped without an answer. Waits for none.
  void stop();

 private:
  struct Check {
    Claim claim;
    std::function<void(Verdict)> done;
  };
  // What the thread works on; it may outlive the rest, in the middle of a check.
  struct Work {
    const SystemClock clock{};
    std::mutex mutex;
    std::condition_variable wakes;
    Turns<Check> turns;                    // guarded by mutex, as all that follows
    std::function<void(Verdict)> current;  // whom the check under way is for
    bool stopped = false;
  };
  static void run(const std::shared_ptr<Work>& work);

  // Of the event loop's thread.
  const DigestKey& key_;
  std::vector<Proof> remembered_;
  std::size_t next_ = 0;  // the one to give way
  std::thread thread_;
  const std::shared_ptr<Work> work_ = std::make_shared<Work>();
};

}  // namespace agent::access
