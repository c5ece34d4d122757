// The workers of a thread_pool on the operating system: threads.
//
// They are started when they are needed: for a job that finds none idle, up to the number that was asked for. They take
// jobs in the order in which these were given.
// Threads: submit() from any. The destructor drops what no thread has begun, and waits for what runs.
// Source: concurrent.futures.ThreadPoolExecutor.
#pragma once

#include <lockstep/runtime/executor.hpp>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace lockstep::real {

class worker_threads final : public executor {
 public:
  // At least 1 thread. Debuggers and `ps` show the name, of which the system keeps 15 letters.
  explicit worker_threads(unsigned count, std::string_view name = {});
  ~worker_threads() override;

  // Throws std::system_error if there is no thread, and none can be started.
  void submit(job work) override;

  // How many have been started.
  std::size_t started() const;

 private:
  void serve();
  void start_one();

  unsigned count_;
  std::string name_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<job> queue_;
  std::size_t idle_ = 0;
  bool over_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace lockstep::real
