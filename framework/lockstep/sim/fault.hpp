// Faults that a test injects into the simulated kernel: which call is to fail, when, how often and how.
//
//   auto refused = on(op::connect).to("db:5432").nth(2).fail(ECONNREFUSED);
//
// A rule has a scope (the call, its target, whose call it is), a trigger (the n-th time, one time in n, a predicate)
// and a persistence (once, so many times, for ever). What it makes is a guard: the fault is there while that lives, or,
// if it is given to `network::add()`, until the run ends.
// Faults are what Linux can do: an error that a call cannot give is misuse, and what ends a connection ends it for both
// sides. A call that would have to wait is not counted; it is when it can be made.
// A fault that never fired when its guard dies is a verdict, as the test has not tested what it says; but for one_in(),
// which the plain run never picks, and may_not_fire(). It says nothing where the run has ended by something else.
// Where several have a call in their scope, each of them counts it. Of those that are due the one that was made first
// happens, and the others stay due for the next call; one that is only slow comes after all others, but on files each
// of them happens as well. Each firing is in the log of the network's faults, and in reports among what its task has
// done.
#pragma once

#include <lockstep/base/source.hpp>
#include <lockstep/net/endpoint.hpp>
#include <lockstep/time/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep {

namespace sim {
class host;
class injected_fault;
class link;
class network;
}  // namespace sim

// Calls that can fail, in groups: `read` is recv() and recvmsg() as well, on sockets.
enum class op : std::uint8_t {
  socket,
  bind,
  listen,
  accept,
  connect,
  read,
  write,
  close,
  resolve,
  // On files of a disk: `file_read` is pread() and its like as well; `sync` is fsync(), fdatasync(), syncfs() and
  // sync(), of which the last two are calls on a disk, by the path where it is mounted, and on each file that has
  // something to write; `link` is what makes a name: mkdir(), symlink() and link(); `remove` unlink() and rmdir();
  // `chmod` what sets attributes: chown() and utimensat() as well; `lock` flock() and fcntl(); `watch`
  // inotify_add_watch(). Files are closed by `close`, as sockets are.
  open,
  file_read,
  file_write,
  sync,
  resize,
  stat,
  list,
  link,
  rename,
  remove,
  chmod,
  lock,
  watch,
};
constexpr std::size_t op_count = static_cast<std::size_t>(op::watch) + 1;

std::string_view name_of(op what) noexcept;
constexpr bool is_on_files(op what) noexcept { return what >= op::open; }

// A call that is about to be made, for the predicate of a rule.
struct attempted_call {
  op what;
  sim::host& by;
  // The peer's, of connect, read and write; else the one that is bound, or is to be.
  endpoint target{};
  sim::host* target_host = nullptr;  // null if nobody has that address
  std::string_view name{};           // to be resolved, or of a Unix socket; on files the path, from the root on
  std::uint64_t offset = 0;          // in the file
  std::uint64_t file_bytes = 0;      // that are in the file
  std::size_t bytes = 0;             // that are to be read or written
  // As the call names the file, where it is another path than `name`: by a symbolic link.
  std::string_view spelled{};
  // Of a file on a disk, all paths that lead to it, if there are several.
  const std::vector<std::string>* all_names = nullptr;
  bool may_fail = true;  // by an error of its own
  bool may_take_time = false;
  bool connected = false;     // a stream, which an error can end
  bool of_datagrams = false;  // of UDP
  bool of_unix = false;       // of a Unix socket
  bool of_disk = false;       // syncfs() or sync()
  bool of_its_files = false;  // the same, of a file that has something to write
};

// Which of the faults that have it in their scope a call is told of.
enum class fault_kinds : std::uint8_t { all, slow, but_slow };

// What a fault does.
struct fault_effect {
  enum class kind : std::uint8_t {
    none,
    fail,
    hang,
    slow,
    reset,
    shorten,
    lie,
    fail_later,
    misdirect,
    bit_rot,
    latent_error
  };
  static constexpr std::uint64_t anywhere = ~std::uint64_t{0};

  kind what = kind::none;
  int error = 0;       // of the call
  int late_error = 0;  // of a later one
  duration delay{};
  std::uint64_t bytes = 0;   // of a misdirected write where it goes
  std::uint32_t number = 0;  // of the fault that it is of, where one has fired
  // The bytes of a file that it is about, likewise.
  std::uint64_t begin = 0;
  std::uint64_t end = ~std::uint64_t{0};
  source where{};

  // "ECONNREFUSED", "hang", "slow by 5 ms".
  std::string text(op of) const;
};

// What link::reset_after() makes is about no call: `over` says so, and `what` means nothing.
struct fault_terms {
  op what;
  source where;
  std::string to;
  std::optional<ip_address> to_address{};
  std::optional<std::uint16_t> to_port{};
  std::string to_host{};
  std::string at{};
  std::uint64_t bytes_begin = 0;
  std::uint64_t bytes_end = ~std::uint64_t{0};
  std::uint64_t first = 1;
  std::uint64_t one_in = 0;
  std::uint64_t times = 1;
  bool may_not_fire = false;
  std::function<bool(const attempted_call&)> when{};
  sim::link* over = nullptr;
  fault_effect effect{};

  // Whether it is about Unix sockets by their names, or about closing files by their paths.
  bool of_unix() const noexcept { return !is_on_files(what) && (to.starts_with('/') || to.starts_with('@')); }
  // "connect to db:5432 (nth 2, ECONNREFUSED)".
  std::string text() const;
};

// Injected while it lives.
class [[nodiscard("the fault ends with its guard")]] fault {
 public:
  explicit fault(fault_terms terms);
  fault(fault && other) noexcept;
  fault& operator=(fault&&) = delete;
  ~fault();

  // How often it has happened.
  std::uint64_t fired() const noexcept;
  // How many calls were in its scope; of a fault on a link, bytes.
  std::uint64_t matched() const noexcept;
  // That it never fires is no verdict.
  fault& may_not_fire()& noexcept;
  fault may_not_fire()&& noexcept { return std::move(may_not_fire()); }

 private:
  friend class sim::network;

  std::unique_ptr<sim::injected_fault> injected_;
};

// A rule that is being written; fail(), hang() and slow() end it, and may be called again for another fault like it.
class fault_rule {
 public:
  fault_rule(op what, source where) : terms_{what, where, {}} {}

  // -- scope ------------------------------------------------------------------------------------------------------

  // The target: "db" is a host, "db:5432" a port of it; so are "10.0.0.2" and "10.0.0.2:5432". Of bind, listen and
  // accept the target is the socket's own address, of resolve the name. "/run/db.sock" and "@db" are Unix sockets. On
  // files it is a path as the shell has it, from the root on: "/var/*.log"; of rename it is the old name. A call on a
  // path that leads to the file by symbolic links is a call on the file, and on the path.
  fault_rule& to(std::string_view target);
  fault_rule& to(const char* target) { return to(std::string_view(target)); }
  fault_rule& to(const endpoint& target);
  // Of file_read and file_write: only calls on bytes from `begin` until before `end`.
  fault_rule& bytes(std::uint64_t begin, std::uint64_t end);
  // Whose call it is.
  fault_rule& at(std::string_view host);

  // -- trigger ----------------------------------------------------------------------------------------------------

  // The n-th call that is in its scope, from 1; the first, if nothing is said.
  fault_rule& nth(std::uint64_t n);
  // From the first on after so many.
  fault_rule& after(std::uint64_t calls) { return nth(calls + 1); }
  // One time in so many, a pick of the oracle, each fault a domain of its own; the plain run picks that nothing
  // happens. It need not fire.
  fault_rule& one_in(std::uint64_t n);
  // Only calls for which this is true, which count for nth() then. It must not throw.
  fault_rule& when(std::function<bool(const attempted_call&)> predicate);

  // -- persistence ------------------------------------------------------------------------------------------------

  // Once, if nothing is said.
  fault_rule& times(std::uint64_t n);
  fault_rule& forever() { return times(~std::uint64_t{0}); }
  // That it never fires is no verdict.
  fault_rule& may_not_fire() {
    terms_.may_not_fire = true;
    return *this;
  }

  // -- what happens -----------------------------------------------------------------------------------------------

  // The call fails with that error; of resolve, one of getaddrinfo()'s, such as EAI_AGAIN. Of a connect the error comes
  // when Linux would know: a refusal after the way there and back, ETIMEDOUT after 131 s. Of read and write ECONNRESET
  // and EPIPE reset the connection, so that the peer sees it as well, and what was not read is lost; ETIMEDOUT,
  // EHOSTUNREACH and ENETUNREACH end it on this side alone.
  // After a sync that failed with EIO, ENOSPC or EDQUOT, what was to be written never is, unless it is written anew,
  // and the next sync succeeds: as on Linux, where a page that could not be written is taken for clean. Each other open
  // file of it fails to sync as well, once. What is in memory then: plain_files::failed_sync_reverts(). Misuse if Linux
  // does not give that error there, or without a simulation.
  fault fail(int error) const;
  // Of file_read and file_write: no more than so many bytes are read or written, at least 1.
  fault shorten(std::uint64_t bytes) const;
  // Of file_write: it succeeds, and what the file has in memory fails to come to the disk, with EIO, ENOSPC or EDQUOT,
  // as when a sync has failed. Each who has the file open hears of it at the next sync, once; so does who opens it
  // later, unless somebody has heard before.
  fault fail_later(int error) const;
  // Of sync: it succeeds, and nothing is durable.
  fault lie() const;
  // Faults of the medium, which are there however often one looks, and whatever is in memory; a sector has 4 KiB.
  // Of file_write: it succeeds, but the sectors that it is in are left as they are, and another place of the file gets
  // what was for them: the sector that has the byte `to`, or one that is picked. What would be behind the end is lost,
  // and what would come to the sectors that it was for. Misuse, when it happens, if `to` is itself in one of those.
  fault misdirect(std::uint64_t to = fault_effect::anywhere) const;
  // Of file_read: a bit of a sector that is read is wrong from now on, always the same for the same content in the same
  // place, until its byte is written again. Which sector it is, is picked. Not where nothing is to be read.
  fault bit_rot() const;
  // Of file_read: a sector that is to be read fails with EIO from now on, as does a write of a part of it, until it is
  // written as a whole. What comes before it can be read. Which it is, is picked.
  fault latent_error() const;
  // Of connect: nobody answers, and it fails with ETIMEDOUT after 131 s.
  fault hang() const;
  // Of connect, and of accept: the connection comes so much later. On files the disk takes so much longer.
  fault slow(duration by) const;
  template <coarser_duration D>
  fault slow(D by) const {
    return slow(saturating_cast(by));
  }

  const fault_terms& terms() const noexcept { return terms_; }

 private:
  fault made(const fault_effect& effect) const;
  [[noreturn]] void refuse_target(std::string_view target, const char* why) const;

  fault_terms terms_;
};

// A rule for calls of that kind.
inline fault_rule on(op what, source where = source::current()) { return {what, where}; }

// The errors that such a call can give on Linux, the most usual first; empty for one that cannot fail.
struct error_list {
  const int* first;
  std::size_t count;
  const int* begin() const noexcept { return first; }
  const int* end() const noexcept { return first + count; }
};
error_list errors_of(op what) noexcept;
// Those of calls on Unix sockets.
error_list errors_of_unix(op what) noexcept;

}  // namespace lockstep
