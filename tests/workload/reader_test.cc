// The reader, on trees of files as the kernel lays them out, and on this machine's own.

#include "agent/workload/reader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/fakes/manual_clock.h"

namespace agent::workload {
namespace {

namespace fs = std::filesystem;
using fakes::now_at;

class Tree : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "workload-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& path, std::string_view text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  // A process, its control group below its root, and its network.
  void write_process(const std::string& pid, std::string_view name, std::string_view memory) {
    write(pid + "/comm", std::string(name) + "\n");
    write(pid + "/root/sys/fs/cgroup/memory.current", memory);
    write(pid + "/root/sys/fs/cgroup/memory.max", "1000\n");
    write(pid + "/net/dev", "eth0: 10 0 2 0 0 0 0 0 20 0 3 0 0 0 0 0\n");
  }
  [[nodiscard]] Source source(std::string process, const std::string& cgroup = "") const {
    return {std::move(process), cgroup.empty() ? "" : (root_ / cgroup).string(), root_.string()};
  }

  fs::path root_;
};

TEST_F(Tree, MemoryIsWhatTheKernelCouldNotGiveBack) {
  write("group/memory.current", "1000\n");
  write("group/memory.max", "2000\n");
  write("group/memory.stat", "anon 600\ninactive_file 300\n");
  Reader reader(source("", "group"));
  const Usage usage = reader.read(now_at(0).steady);
  EXPECT_EQ(usage.fault, "");
  EXPECT_EQ(usage.resources.memory_bytes, 700);
  EXPECT_EQ(usage.resources.memory_limit_bytes, 2'000);
}

TEST_F(Tree, CpuIsWhatWasBurnedSinceTheCallBefore) {
  write("group/memory.current", "1\n");
  write("group/cpu.max", "200000 100000\n");
  write("group/cpu.stat", "usage_usec 1000000\nuser_usec 1\n");
  Reader reader(source("", "group"));
  EXPECT_FALSE(reader.read(now_at(0).steady).resources.cpu_cores);
  write("group/cpu.stat", "usage_usec 8500000\nuser_usec 1\n");
  const Usage usage = reader.read(now_at(5).steady);
  EXPECT_DOUBLE_EQ(usage.resources.cpu_cores.value_or(-1), 1.5);
  EXPECT_DOUBLE_EQ(usage.resources.cpu_limit_cores.value_or(-1), 2);
}

TEST_F(Tree, WithoutALimitThereIsNone) {
  write("group/memory.current", "1000\n");
  write("group/memory.max", "max\n");
  write("group/cpu.max", "max 100000\n");
  Reader reader(source("", "group"));
  const Usage usage = reader.read(now_at(0).steady);
  EXPECT_FALSE(usage.resources.memory_limit_bytes);
  EXPECT_FALSE(usage.resources.cpu_limit_cores);
}

TEST_F(Tree, TheFirstProcessOfThatNameIsTheWorkload) {
  write_process("70", "python3", "70\n");
  write_process("8", "python3", "8\n");
  write_process("3", "pause", "3\n");
  write("self/comm", "python3\n");  // no process of its own
  Reader reader(source("python3"));
  const Usage usage = reader.read(now_at(0).steady);
  EXPECT_EQ(usage.fault, "");
  EXPECT_EQ(usage.resources.memory_bytes, 8);
  EXPECT_EQ(usage.resources.network_errors, 5);
}

TEST_F(Tree, TheNextOneIsTakenWhenItIsGone) {
  write_process("8", "python3", "8\n");
  write_process("70", "python3", "70\n");
  Reader reader(source("python3"));
  reader.read(now_at(0).steady);
  fs::remove_all(root_ / "8");
  EXPECT_EQ(reader.read(now_at(5).steady).resources.memory_bytes, 70);
}

TEST_F(Tree, LongNamesAreComparedAsTheKernelKeepsThem) {
  write_process("8", "a-very-long-nam", "8\n");
  Reader reader(source("a-very-long-name-indeed"));
  EXPECT_EQ(reader.read(now_at(0).steady).resources.memory_bytes, 8);
}

TEST_F(Tree, WhatIsMissingIsNamed) {
  write("3/comm", "pause\n");
  Reader nobody(source("python3"));
  EXPECT_NE(nobody.read(now_at(0).steady).fault.find("shareProcessNamespace"), std::string::npos);
  Reader nowhere(source("", "group"));
  EXPECT_NE(nowhere.read(now_at(0).steady).fault.find("group/memory.current"), std::string::npos);
}

TEST_F(Tree, TheNetworkIsKnownWhereTheControlGroupIsNot) {
  write("8/comm", "python3\n");
  write("8/net/dev", "eth0: 10 0 2 0 0 0 0 0 20 0 3 0 0 0 0 0\n");
  Reader reader(source("python3"));
  const Usage usage = reader.read(now_at(0).steady);
  EXPECT_NE(usage.fault, "");
  EXPECT_EQ(usage.resources.network_errors, 5);
}

TEST(ThisMachine, HasThisProcess) {
  std::ifstream comm("/proc/self/comm");
  std::string name;
  if (!std::getline(comm, name)) GTEST_SKIP() << "this machine has no /proc";
  Reader reader({name, "", "/proc"});
  const Usage usage = reader.read(now_at(0).steady);
  EXPECT_EQ(usage.fault.find("no process"), std::string::npos) << usage.fault;
  EXPECT_EQ(usage.resources.network_errors.has_value(),
            usage.resources.network_rx_bytes.has_value());
}

TEST(ThisMachine, ControlGroupOfVersion2) {
  if (!fs::exists("/sys/fs/cgroup/memory.current"))
    GTEST_SKIP() << "this machine shows no control group of version 2 with memory";
  Reader reader({"", "/sys/fs/cgroup", "/proc"});
  const Usage usage = reader.read(now_at(0).steady);
  EXPECT_EQ(usage.fault, "");
  EXPECT_GT(usage.resources.memory_bytes.value_or(0), 0);
}

}  // namespace
}  // namespace agent::workload
