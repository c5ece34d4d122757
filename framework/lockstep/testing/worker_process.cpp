#include <lockstep/testing/worker_process.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <system_error>
#include <utility>

namespace lockstep::detail {

namespace {

constexpr std::string_view begin_of_death = "crash: ";
constexpr std::string_view stuck_step = "stuck step";
constexpr std::size_t errors_bytes_max = 8'000;  // that are shown of what a worker has written

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

void send_all(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(to, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) ::_exit(1);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string name_of_signal(int number) {
#ifdef __GLIBC__
  if (const char* name = ::sigabbrev_np(number); name != nullptr) return fmt::format("SIG{}", name);
#endif
  return fmt::format("signal {}", number);
}

// Of a sanitizer's report, what it comes to: "AddressSanitizer: heap-use-after-free cache.cpp:41:3 in fetch()".
std::string summary_in(const std::string& errors) {
  constexpr std::string_view mark = "SUMMARY: ";
  const std::size_t at = errors.rfind(mark);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + mark.size();
  std::string summary = errors.substr(begin, errors.find('\n', begin) - begin);
  while (summary.ends_with(' ')) summary.pop_back();
  return summary;
}

}  // namespace

// -- messages and memory ----------------------------------------------------------------------------------------------

message& message::add(std::uint64_t number) {
  bytes_.append(reinterpret_cast<const char*>(&number), sizeof number);
  return *this;
}

message& message::add(std::string_view text) {
  add(std::uint64_t{text.size()});
  bytes_.append(text);
  return *this;
}

std::uint64_t message::number() {
  std::uint64_t number = 0;
  if (bytes_.size() - at_ < sizeof number) {
    at_ = bytes_.size();
    return 0;
  }
  std::memcpy(&number, bytes_.data() + at_, sizeof number);
  at_ += sizeof number;
  return number;
}

std::string message::text() {
  const std::uint64_t said = number();
  const std::size_t size = std::min<std::uint64_t>(said, bytes_.size() - at_);
  return bytes_.substr(std::exchange(at_, at_ + size), size);
}

shared_memory::shared_memory(std::size_t bytes) : size_(bytes) {
  void* const made = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (made == MAP_FAILED) fail("lockstep: memory to be shared with a worker process");
  data_ = static_cast<std::byte*>(made);
}

shared_memory::~shared_memory() { ::munmap(data_, size_); }

// -- the process ------------------------------------------------------------------------------------------------------

worker_process::worker_process(const std::function<void(const sender&)>& work) : errors_(std::tmpfile()) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("lockstep: a pipe to a worker process");
  // What is still to be written would be written by both.
  std::cout.flush();
  std::cerr.flush();
  std::fflush(nullptr);
  const pid_t parent = ::getpid();
  process_ = ::fork();
  if (process_ == 0) {
    ::close(ends[0]);
    run(ends[1], parent, work);
  }
  const int error = errno;
  ::close(ends[1]);
  pipe_ = ends[0];
  if (process_ < 0) {
    ::close(pipe_);
    if (errors_ != nullptr) std::fclose(errors_);
    errno = error;
    fail("lockstep: a worker process");
  }
}

worker_process::~worker_process() {
  if (process_ > 0) {
    ::kill(process_, SIGKILL);
    while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  ::close(pipe_);
  if (errors_ != nullptr) std::fclose(errors_);
}

void worker_process::run(int pipe, pid_t parent, const std::function<void(const sender&)>& work) {
#ifdef __linux__
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  if (::getppid() != parent) ::_exit(1);
  // A core for each run that dies would be too many.
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0) ::dup2(nowhere, STDOUT_FILENO);
  if (errors_ != nullptr) ::dup2(::fileno(errors_), STDERR_FILENO);
  leave_last_words(state_->words);
  work([pipe](std::string_view bytes) { send_all(pipe, bytes); });
  state_->done = true;
  ::_exit(0);
}

bool worker_process::take() {
  std::array<char, 16'384> block;
  const ssize_t got = ::read(pipe_, block.data(), block.size());
  if (got < 0) return errno == EINTR;
  sent_.append(block.data(), static_cast<std::size_t>(got));
  return got > 0;
}

worker_end worker_process::wait() {
  while (take()) {
  }
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
  return end_of(status);
}

bool is_signature_of_death(std::string_view signature) noexcept { return signature.starts_with(begin_of_death); }

bool is_signature_of_stuck_step(std::string_view signature) noexcept {
  return is_signature_of_death(signature) && signature.substr(begin_of_death.size()).starts_with(stuck_step);
}

// A sanitizer that only reports lets the process go on, and changes its status in the end.
worker_end worker_process::end_of(int status) const {
  worker_end end;
  if (state_->done && WIFEXITED(status) && WEXITSTATUS(status) == 0) return end;
  end.died = true;
  const last_words& words = state_->words;
  const std::string written = errors();
  std::string what = summary_in(written);
  if (words.stuck) {
    what = stuck_step;
    end.stuck = true;
  } else if (words.exits) {
    what = fmt::format("exit({})", words.status.load());
  } else if (WIFSIGNALED(status)) {
    what = name_of_signal(WTERMSIG(status));
  } else if (what.empty()) {
    what = fmt::format("exit status {}", WEXITSTATUS(status));
  }
  end.where = words.where;
  const std::string awaited = file_and_line(end.where);
  end.signature = fmt::format("{}{}{}{}", begin_of_death, what, awaited.empty() ? "" : " after ", awaited);
  end.text = fmt::format("crash of the process: {}{}{}", what,
                         awaited.empty() ? "" : ", in the step of a task that had awaited at ", awaited);
  if (!written.empty()) end.text += fmt::format("\n{}", written);
  return end;
}

// The end of it, from the begin of a line on.
std::string worker_process::errors() const {
  if (errors_ == nullptr) return {};
  const int file = ::fileno(errors_);
  const off_t size = ::lseek(file, 0, SEEK_END);
  const off_t from = std::max<off_t>(size - static_cast<off_t>(errors_bytes_max), 0);
  std::string text(static_cast<std::size_t>(std::max<off_t>(size - from, 0)), '\0');
  const ssize_t got = ::pread(file, text.data(), text.size(), from);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (from > 0) text.erase(0, text.find('\n') + 1);
  while (text.ends_with('\n')) text.pop_back();
  text.erase(0, text.find_first_not_of('\n'));
  return text;
}

}  // namespace lockstep::detail
