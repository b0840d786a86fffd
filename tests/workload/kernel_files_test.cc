// The kernel's texts as numbers, and what is none.

#include "agent/workload/kernel_files.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace agent::workload {
namespace {

TEST(Amounts, AreOneNumber) {
  EXPECT_EQ(amount("1073741824\n"), 1'073'741'824);
  EXPECT_EQ(amount("0"), 0);
  for (const char* none : {"max\n", "", "\n", "12 13", "-1", "12x", "99999999999999999999"})
    EXPECT_FALSE(amount(none)) << none;
}

TEST(Amounts, AreFoundByTheirKey) {
  const char* stat = "anon 4096\ninactive_file 8192\nfile 1\n";
  EXPECT_EQ(keyed_amount(stat, "inactive_file"), 8'192);
  EXPECT_EQ(keyed_amount(stat, "file"), 1);  // not the end of another key
  EXPECT_FALSE(keyed_amount(stat, "inactive"));
  EXPECT_FALSE(keyed_amount("inactive_file\n", "inactive_file"));
}

TEST(CpuLimit, IsQuotaOverPeriod) {
  EXPECT_DOUBLE_EQ(*cpu_limit("150000 100000\n"), 1.5);
  for (const char* none : {"max 100000\n", "", "100000", "100000 0", "a b", "1 2 3"})
    EXPECT_FALSE(cpu_limit(none)) << none;
}

constexpr const char* kNetDev =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo "
    "colls carrier compressed\n"
    "    lo:  100    1    9    0    0     0          0         0   100    1    9    0    0     0   "
    "    0          0\n"
    "  eth0: 2000    5    3    1    0     0          0         0  4000    9    4    0    0     0   "
    "    0          0\n"
    " eth1.7:50    1    0    0    0     0          0         0     6    1    1    0    0     0     "
    "  0          0\n";

TEST(NetworkCounts, AreOfAllInterfacesButTheLoopbackOne) {
  const auto counts = network_counts(kNetDev);
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->rx_bytes, 2'050);
  EXPECT_EQ(counts->tx_bytes, 4'006);
  EXPECT_EQ(counts->errors, 8);
}

TEST(NetworkCounts, AreUnknownWithoutAnInterface) {
  EXPECT_FALSE(network_counts(""));
  EXPECT_FALSE(network_counts("    lo:  100 1 9\n"));
}

TEST(NetworkCounts, NeverOverflow) {
  const auto counts = network_counts(
      "a:9223372036854775807 0 9223372036854775807\nb:9223372036854775807 0 9223372036854775807\n");
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->rx_bytes, 9'223'372'036'854'775'807);
  EXPECT_EQ(counts->errors, 9'223'372'036'854'775'807);
}

TEST(NetworkCounts, OfThisMachineAreUnderstood) {
  std::ifstream file("/proc/net/dev");
  if (!file) GTEST_SKIP() << "this machine has no /proc/net/dev";
  std::stringstream text;
  text << file.rdbuf();
  std::size_t others = 0;
  for (std::string line; std::getline(text, line);)
    others += line.find(':') != line.npos && line.find("lo:") == line.npos ? 1 : 0;
  EXPECT_EQ(network_counts(text.str()).has_value(), others > 0);
}

}  // namespace
}  // namespace agent::workload
