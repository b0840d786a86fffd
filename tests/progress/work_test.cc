#include "agent/progress/work.h"

#include <gtest/gtest.h>

namespace agent::progress {
namespace {

FileWeight file(FileStatus status, std::int64_t bytes = -1, double units = -1,
                double progress = 0) {
  return {status, progress, bytes, units, false};
}

TEST(Work, IsZeroOfZeroWhileNothingIsKnown) {
  const WorkDone w = Work{}.done(0);
  EXPECT_EQ(w.total, 0);
  EXPECT_EQ(w.percentage(), 0);
  EXPECT_EQ(w.complexity, 1);
}

TEST(Work, WeighsByBytesWhenEverySeenFileHasThem) {
  Work work;
  work.add(file(FileStatus::kCompleted, 300));
  work.add(file(FileStatus::kPending, 100, 7));
  EXPECT_DOUBLE_EQ(work.done(2).percentage(), 75);
}

TEST(Work, WeighsByUnitsWhenBytesAreMissingSomewhere) {
  Work work;
  work.add(file(FileStatus::kCompleted, 300, 1));
  work.add(file(FileStatus::kPending, -1, 4));
  EXPECT_DOUBLE_EQ(work.done(2).percentage(), 20);
}

TEST(Work, WeighsFilesAlikeWhenNeitherIsKnownOfAll) {
  Work work;
  work.add(file(FileStatus::kCompleted, 300));
  work.add(file(FileStatus::kPending, -1, 4));
  EXPECT_DOUBLE_EQ(work.done(2).percentage(), 50);
}

TEST(Work, WeighsFilesAlikeWhenAllAreEmpty) {
  Work work;
  work.add(file(FileStatus::kCompleted, 0));
  work.add(file(FileStatus::kPending, 0));
  work.add(file(FileStatus::kPending, 0));
  work.add(file(FileStatus::kPending, 0));
  EXPECT_DOUBLE_EQ(work.done(4).percentage(), 25);
}

TEST(Work, TakesUnseenFilesAtTheMeanWeightOfTheSeen) {
  Work work;
  work.add(file(FileStatus::kCompleted, 100));
  work.add(file(FileStatus::kPending, 300));
  EXPECT_DOUBLE_EQ(work.done(4).total, 800);
  EXPECT_DOUBLE_EQ(work.done(4).percentage(), 12.5);
}

TEST(Work, CountsUnseenFilesAsOneEachBeforeAnyIsSeen) { EXPECT_EQ(Work{}.done(5).total, 5); }

TEST(Work, CountsTheDoneShareOfWhatIsProcessing) {
  Work work;
  work.add(file(FileStatus::kProcessing, 200, -1, 25));
  work.add(file(FileStatus::kPending, 200));
  EXPECT_DOUBLE_EQ(work.done(2).percentage(), 12.5);
  work.move(file(FileStatus::kProcessing, 200, -1, 25), 75);
  EXPECT_DOUBLE_EQ(work.done(2).percentage(), 37.5);
}

TEST(Work, EveryFinalStateIsProgressButOnlyFinishedWorkIsEarned) {
  Work work;
  work.add(file(FileStatus::kCompleted));
  work.add(file(FileStatus::kFailed));
  work.add(file(FileStatus::kSkipped));
  work.add(file(FileStatus::kCancelled));
  work.add({FileStatus::kCompleted, 100, -1, -1, true});  // restored
  const WorkDone w = work.done(10);
  EXPECT_DOUBLE_EQ(w.done, 5);
  EXPECT_DOUBLE_EQ(w.earned, 2);
  EXPECT_DOUBLE_EQ(w.remaining(), 5);
}

TEST(Work, ARestoredSkippedFileIsTakenOffOnce) {
  Work work;
  work.add({FileStatus::kSkipped, 0, -1, -1, true});
  work.add(file(FileStatus::kCompleted));
  EXPECT_DOUBLE_EQ(work.done(2).earned, 1);
}

TEST(Work, ComparesUnfinishedWithFinishedFiles) {
  Work work;
  work.add(file(FileStatus::kCompleted, 100));
  work.add(file(FileStatus::kPending, 300));
  EXPECT_DOUBLE_EQ(work.done(2).complexity, 3);
  // An unseen file weighs the mean of the seen, 200: (300 + 200) / 2 against 100.
  EXPECT_DOUBLE_EQ(work.done(3).complexity, 2.5);
}

TEST(Work, ComplexityIsOneWhenNothingIsFinishedOrNothingIsLeft) {
  Work work;
  work.add(file(FileStatus::kPending, 300));
  EXPECT_DOUBLE_EQ(work.done(1).complexity, 1);
  work.remove(file(FileStatus::kPending, 300));
  work.add(file(FileStatus::kCompleted, 300));
  EXPECT_DOUBLE_EQ(work.done(1).complexity, 1);
}

TEST(Work, ForgetsWhatRoundingLeftOfProcessing) {
  Work work;
  work.add(file(FileStatus::kPending, -1, 0.1));
  for (int i = 1; i <= 1'000; ++i) {
    const FileWeight f = file(FileStatus::kProcessing, -1, 0.1 * i, 33.3);
    work.add(f);
    work.move(f, 77.7);
    work.remove(file(FileStatus::kProcessing, -1, 0.1 * i, 77.7));
  }
  EXPECT_EQ(work.processing_done(), 0);
  EXPECT_EQ(work.done(1).percentage(), 0);
}

}  // namespace
}  // namespace agent::progress
