#include <lockstep/real/os_driver.hpp>

#include <lockstep/base/hash.hpp>
#include <lockstep/real/linux_calls.hpp>
#include <lockstep/real/worker_threads.hpp>
#include <lockstep/runtime/errors.hpp>
#include <lockstep/runtime/inbox.hpp>
#include <lockstep/runtime/loop.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace lockstep::real {

namespace {

wall_clock::time_point time_of_day() noexcept {
  return std::chrono::time_point_cast<wall_clock::duration>(std::chrono::system_clock::now());
}

}  // namespace

// The timer and the watched descriptors are operations of the driver's own in the io_context, begun when it waits and
// ended when somebody asks whether there are others.
struct os_driver::parts final : detail::run_listener {
  boost::asio::io_context io{1};
  boost::asio::steady_timer timer{io};
  std::optional<os_clock::machine::time_point> armed;  // when the timer wakes the thread
  std::optional<boost::asio::posix::stream_descriptor> watched;
  std::function<void()> ready;
  bool watching = false;
  std::shared_ptr<linux_calls> calls;
  std::optional<boost::asio::posix::stream_descriptor> called;  // what tells of the readiness that they wait for
  bool calling = false;

  // Whether somebody waits for a call to be possible.
  bool calls_wait() const noexcept { return calls != nullptr && calls->watching(); }
  // Wakes the thread at that time, or before.
  void arm(os_clock::machine::time_point at) {
    if (armed && *armed <= at) return;
    timer.expires_at(at);
    armed = at;
    timer.async_wait([this](const boost::system::error_code& cancelled) {
      if (!cancelled) armed.reset();
    });
  }
  void watch() {
    if (!watched || std::exchange(watching, true)) return;
    watched->async_wait(boost::asio::posix::stream_descriptor::wait_read,
                        [this](const boost::system::error_code& cancelled) {
                          watching = false;
                          if (!cancelled && ready) ready();
                        });
  }
  void watch_calls() {
    if (!calls_wait() || std::exchange(calling, true)) return;
    if (!called) called.emplace(io, calls->descriptor());
    called->async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [this](const boost::system::error_code& cancelled) {
                         calling = false;
                         if (!cancelled) calls->deliver();
                       });
  }
  void end_watching_calls() {
    if (calling) called->cancel();
  }
  void end_own_operations() {
    if (armed) timer.cancel();
    armed.reset();
    if (watching) watched->cancel();
    end_watching_calls();
  }
  std::size_t poll() {
    if (calls_wait()) calls->deliver();
    io.restart();
    return io.poll();
  }
  void tasks_have_gone() noexcept override { end_watching_calls(); }
  void run_ends(bool) noexcept override {}
};

os_driver::os_driver() : driver(true), parts_(std::make_unique<parts>()) {}

os_driver::~os_driver() {
  watch_nothing();
  if (parts_->linked()) parts_->unlink();
  if (parts_->called) static_cast<void>(parts_->called->release());
}

void os_driver::begin(const clock_options& how, std::optional<std::uint64_t> seed) {
  how_ = how;
  seed_ = seed;
  wall_start_ = time_of_day();
  clock_ = os_clock(how.time_scale);
  began_ = os_clock::machine::now();
  jobs_until_.reset();
}

void os_driver::await_jobs_for(duration limit) noexcept {
  const os_clock::machine::time_point present = os_clock::machine::now();
  if (limit < os_clock::machine::time_point::max() - present) jobs_until_ = present + limit;
}

boost::asio::io_context& os_driver::context() noexcept { return parts_->io; }

void os_driver::watch(int descriptor, std::function<void()> ready) {
  parts_->watched.emplace(parts_->io, descriptor);
  parts_->ready = std::move(ready);
}

void os_driver::watch_nothing() noexcept {
  if (!parts_->watched) return;
  parts_->ready = nullptr;
  static_cast<void>(parts_->watched->release());  // which ends the wait and leaves the descriptor open
  parts_->watched.reset();
}

// -- a turn -----------------------------------------------------------------------------------------------------------

void os_driver::renew(loop& of) {
  if (of.clock_runs()) {
    of.advance_to(clock_.read(), how_.exact);
  } else {
    clock_.hold();
  }
}

void os_driver::poll(loop& of) {
  // To ask the system takes longer than a short turn.
  constexpr auto asked_lately = std::chrono::microseconds(20);
  if (how_.exact || of.quiet() || clock_.read_at() - polled_at_ >= asked_lately) {
    polled_at_ = clock_.read_at();
    parts_->watch();
    parts_->poll();
  }
  if (!how_.exact) renew(of);
}

bool os_driver::idle(loop& of) {
  const bool timed = of.clock_runs() && !of.timers().empty();
  if (timed) {
    const time_point next = of.timers().due_from();
    if (const time_point shown = clock_.read(); shown >= next) {
      of.advance_to(shown, how_.exact);
      return true;
    }
    parts_->arm(clock_.when(next));
  }
  const inbox& box = of.outside();
  const bool calls_wait = parts_->calls_wait();
  if (jobs_until_ && box.jobs != 0 && box.jobs == box.in_flight && !calls_wait && !(timed && of.timers_wake_tasks())) {
    if (os_clock::machine::now() >= *jobs_until_ && box.empty()) return false;
    parts_->arm(*jobs_until_);
  }
  const bool awaited = timed || calls_wait || box.in_flight != 0 || box.callers.load() != 0;
  if (!awaited && !others_wait(of)) return false;
  if (of.quiet()) rest(of, awaited);
  renew(of);
  return true;
}

// Whether anybody else waits for something in the io_context.
bool os_driver::others_wait(loop& of) {
  parts_->end_own_operations();
  parts_->poll();
  return !parts_->io.stopped() || !of.quiet() || !of.outside().empty();
}

void os_driver::rest(loop& of, bool awaited) {
  struct resting {
    loop& owner;
    explicit resting(loop& of) noexcept : owner(of) { owner.rest(true); }
    ~resting() { owner.rest(false); }
  };
  using work = boost::asio::executor_work_guard<boost::asio::io_context::executor_type>;
  parts_->watch();
  parts_->watch_calls();
  std::optional<work> held;
  if (awaited) held.emplace(parts_->io.get_executor());
  parts_->io.restart();
  // What wakes this thread puts something into the inbox first, and then stops the io_context. So if that was before
  // the restart, it is seen here.
  if (!of.outside().empty()) return;
  const resting now(of);
  parts_->io.run_one();
}

void os_driver::wake() noexcept { parts_->io.stop(); }

// -- time and values --------------------------------------------------------------------------------------------------

wall_clock::time_point os_driver::wall_at(time_point now) const noexcept {
  if (!how_.exact) return time_of_day();
  return wall_clock::time_point(saturating_add(wall_start_.time_since_epoch(), now.time_since_epoch()));
}

std::uint64_t os_driver::pick_value(choice_point point, std::uint64_t options) noexcept {
  return seed_ ? bounded(draw(*seed_, point.domain, point.nth), options) : 0;
}

// -- blocking work ----------------------------------------------------------------------------------------------------

std::unique_ptr<executor> os_driver::make_workers(unsigned count, std::string_view name) {
  return std::make_unique<worker_threads>(count, name);
}

unsigned os_driver::workers_by_default() const noexcept {
  constexpr unsigned most = 32;
  constexpr unsigned beyond_cores = 4;
  return std::min(most, std::thread::hardware_concurrency() + beyond_cores);
}

// -- system calls -----------------------------------------------------------------------------------------------------

system_calls* os_driver::system() {
  if (parts_->calls == nullptr) parts_->calls = std::make_shared<linux_calls>();
  if (!parts_->linked()) detail::here().owner->run_listeners().push_back(*parts_);
  return parts_->calls.get();
}

duration os_driver::machine_time() const noexcept { return (os_clock::machine::now() - began_) * how_.time_scale; }

boost::asio::io_context& current_io_context() {
  loop& owner = *detail::here().owner;
  auto* const on_system = dynamic_cast<os_driver*>(&owner.driven_by());
  if (on_system == nullptr) {
    owner.misused("there is no io_context in a simulation; run this by lockstep::run(), or a test with clock=real");
  }
  return on_system->context();
}

std::uint64_t fresh_seed() noexcept {
  const auto machine = static_cast<std::uint64_t>(os_clock::machine::now().time_since_epoch().count());
  const auto day = static_cast<std::uint64_t>(time_of_day().time_since_epoch().count());
  return hash_of(hash_of(machine, day), static_cast<std::uint64_t>(getpid()));
}

}  // namespace lockstep::real
