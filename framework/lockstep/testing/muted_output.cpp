#include <lockstep/testing/muted_output.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <iostream>

namespace lockstep::detail {

namespace {

void flush() {
  std::cout.flush();
  std::fflush(stdout);
}

}  // namespace

muted_output::muted_output() : file_(std::tmpfile()) {
  if (file_ == nullptr) return;
  flush();
  original_ = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (original_ >= 0) ::dup2(::fileno(file_), STDOUT_FILENO);
}

muted_output::~muted_output() {
  if (original_ >= 0) {
    flush();
    restore();
  }
  if (file_ != nullptr) std::fclose(file_);
}

void muted_output::forget() {
  if (original_ < 0) return;
  flush();
  const int kept = ::fileno(file_);
  if (::lseek(kept, 0, SEEK_CUR) == 0) return;  // nothing was written
  if (::ftruncate(kept, 0) == 0) ::lseek(kept, 0, SEEK_SET);
}

void muted_output::show() {
  if (original_ >= 0) flush();
  show_what_was_written();
}

void muted_output::show_what_was_written() noexcept {
  if (original_ < 0) return;
  restore();
  const int kept = ::fileno(file_);
  ::lseek(kept, 0, SEEK_SET);
  std::array<char, 4096> block;
  for (;;) {
    const ssize_t got = ::read(kept, block.data(), block.size());
    if (got <= 0) return;
    for (ssize_t shown = 0; shown < got;) {
      const ssize_t written = ::write(STDOUT_FILENO, block.data() + shown, static_cast<std::size_t>(got - shown));
      if (written <= 0) return;
      shown += written;
    }
  }
}

void muted_output::restore() noexcept {
  ::dup2(original_, STDOUT_FILENO);
  ::close(original_);
  original_ = -1;
}

}  // namespace lockstep::detail
