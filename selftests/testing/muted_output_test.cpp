#include <lockstep/testing/muted_output.hpp>

#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <string>

namespace lockstep {
namespace {

// What appears of what `print` prints.
template <class F>
std::string shown_of(F print) {
  testing::internal::CaptureStdout();
  print();
  return testing::internal::GetCapturedStdout();
}

TEST(MutedOutputTest, KeepsWhatIsPrintedFromAppearing) {
  EXPECT_EQ(shown_of([] {
              std::printf("before ");
              {
                const detail::muted_output muted;
                std::printf("within ");
                std::cout << "within ";
              }
              std::printf("after");
            }),
            "before after");
}

TEST(MutedOutputTest, ShowsWhatWasPrintedSinceItWasToldToForget) {
  EXPECT_EQ(shown_of([] {
              std::printf("before ");
              detail::muted_output muted;
              for (const char* run : {"one ", "two ", "three "}) {
                muted.forget();
                std::printf("%s", run);
                std::cout << run;
              }
              muted.show();
              EXPECT_EQ(::write(STDOUT_FILENO, "after ", 6), 6);  // past what stdio still holds
              muted.forget();
              muted.show();
            }),
            "before three three after ");
}

TEST(MutedOutputTest, ShowsMuch) {
  const std::string much(100'000, 'x');
  EXPECT_EQ(shown_of([&] {
              detail::muted_output muted;
              std::cout << much;
              muted.show();
            }),
            much);
}

TEST(MutedOutputTest, ShowsAtASignalWhatStdioHasLetGo) {
  EXPECT_EQ(shown_of([] {
              detail::muted_output muted;
              std::printf("written ");
              std::fflush(stdout);
              muted.show_what_was_written();
              std::printf("after");
            }),
            "written after");
}

}  // namespace
}  // namespace lockstep
