// FaultyVfs: SQLite's own way to the disk, but calls that write, sync, truncate or delete can be
// made to fail. Registered for as long as it lives; files opened with it must be closed before it
// ends.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstring>
#include <string>

namespace agent::fakes {

class FaultyVfs {
 public:
  FaultyVfs() : real_(sqlite3_vfs_find(nullptr)) {
    static std::atomic<int> count{0};
    name_ = "faulty-" + std::to_string(++count);
    vfs_ = *real_;
    vfs_.pNext = nullptr;
    vfs_.zName = name_.c_str();
    vfs_.pAppData = this;
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
    vfs_.xOpen = open;
    sqlite3_vfs_register(&vfs_, 0);
  }
  ~FaultyVfs() { sqlite3_vfs_unregister(&vfs_); }
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  // The n-th call from now on fails, once.
  void fail_call(int n) {
    failed_ = false;
    left_ = n;
  }
  [[nodiscard]] bool has_failed() const { return failed_; }
  // All calls fail with this code, until it is SQLITE_OK.
  void fail_all(int code) { all_ = code; }

 private:
  struct File {
    sqlite3_file base;
    sqlite3_io_methods methods;
    FaultyVfs* vfs;
    [[nodiscard]] sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };

  int trouble(int code) {
    if (all_ != SQLITE_OK) return all_;
    if (left_ == 0 || --left_ != 0) return SQLITE_OK;
    failed_ = true;
    return code;
  }
  static File& file(sqlite3_file* f) { return *reinterpret_cast<File*>(f); }

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* f, int flags, int* out) {
    auto* self = static_cast<FaultyVfs*>(vfs->pAppData);
    File& mine = file(f);
    std::memset(f, 0, static_cast<std::size_t>(vfs->szOsFile));
    mine.vfs = self;
    const int code = self->real_->xOpen(self->real_, name, mine.real(), flags, out);
    if (mine.real()->pMethods == nullptr) return code;
    mine.methods = *mine.real()->pMethods;
    mine.methods.xClose = [](sqlite3_file* c) {
      return file(c).real()->pMethods->xClose(file(c).real());
    };
    mine.methods.xRead = [](sqlite3_file* c, void* to, int n, sqlite3_int64 at) {
      return file(c).real()->pMethods->xRead(file(c).real(), to, n, at);
    };
    mine.methods.xWrite = [](sqlite3_file* c, const void* from, int n, sqlite3_int64 at) {
      if (const int bad = file(c).vfs->trouble(SQLITE_IOERR_WRITE)) {
        // Half of it is there, as after a real fault.
        (void)file(c).real()->pMethods->xWrite(file(c).real(), from, n / 2, at);
        return bad;
      }
      return file(c).real()->pMethods->xWrite(file(c).real(), from, n, at);
    };
    mine.methods.xTruncate = [](sqlite3_file* c, sqlite3_int64 size) {
      const int bad = file(c).vfs->trouble(SQLITE_IOERR_TRUNCATE);
      return bad != 0 ? bad : file(c).real()->pMethods->xTruncate(file(c).real(), size);
    };
    mine.methods.xSync = [](sqlite3_file* c, int how) {
      const int bad = file(c).vfs->trouble(SQLITE_IOERR_FSYNC);
      return bad != 0 ? bad : file(c).real()->pMethods->xSync(file(c).real(), how);
    };
    mine.methods.xFileSize = [](sqlite3_file* c, sqlite3_int64* size) {
      return file(c).real()->pMethods->xFileSize(file(c).real(), size);
    };
    mine.methods.xLock = [](sqlite3_file* c, int how) {
      return file(c).real()->pMethods->xLock(file(c).real(), how);
    };
    mine.methods.xUnlock = [](sqlite3_file* c, int how) {
      return file(c).real()->pMethods->xUnlock(file(c).real(), how);
    };
    mine.methods.xCheckReservedLock = [](sqlite3_file* c, int* is) {
      return file(c).real()->pMethods->xCheckReservedLock(file(c).real(), is);
    };
    mine.methods.xFileControl = [](sqlite3_file* c, int what, void* with) {
      return file(c).real()->pMethods->xFileControl(file(c).real(), what, with);
    };
    mine.methods.xSectorSize = [](sqlite3_file* c) {
      return file(c).real()->pMethods->xSectorSize(file(c).real());
    };
    mine.methods.xDeviceCharacteristics = [](sqlite3_file* c) {
      return file(c).real()->pMethods->xDeviceCharacteristics(file(c).real());
    };
    mine.methods.xShmMap = [](sqlite3_file* c, int page, int size, int extend, void volatile** to) {
      return file(c).real()->pMethods->xShmMap(file(c).real(), page, size, extend, to);
    };
    mine.methods.xShmLock = [](sqlite3_file* c, int at, int n, int how) {
      return file(c).real()->pMethods->xShmLock(file(c).real(), at, n, how);
    };
    mine.methods.xShmBarrier = [](sqlite3_file* c) {
      file(c).real()->pMethods->xShmBarrier(file(c).real());
    };
    mine.methods.xShmUnmap = [](sqlite3_file* c, int remove) {
      return file(c).real()->pMethods->xShmUnmap(file(c).real(), remove);
    };
    mine.methods.xFetch = [](sqlite3_file* c, sqlite3_int64 at, int n, void** to) {
      return file(c).real()->pMethods->xFetch(file(c).real(), at, n, to);
    };
    mine.methods.xUnfetch = [](sqlite3_file* c, sqlite3_int64 at, void* from) {
      return file(c).real()->pMethods->xUnfetch(file(c).real(), at, from);
    };
    f->pMethods = &mine.methods;
    return code;
  }

  sqlite3_vfs* real_;
  sqlite3_vfs vfs_{};
  std::string name_;
  std::atomic<int> left_{0}, all_{SQLITE_OK};
  std::atomic<bool> failed_{false};
};

}  // namespace agent::fakes
