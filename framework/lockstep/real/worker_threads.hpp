// The workers of a thread_pool on the operating system: threads.
//
// They are started when they are needed: for a job that finds none idle, up to the number that was asked for. They take
// jobs in the order in which these were given.
// Threads: submit() from any. The destructor drops what no thread has begun, and waits for what runs.
// Source: concurrent.futures.ThreadPoolExecutor.
#pragma once

#include <lockstep/runtime/executor.hpp>

#include <memory>
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
  struct desk;

  void start_one();
  void close() noexcept;
  void leave_jobs() noexcept override;

  unsigned count_;
  std::string name_;
  std::shared_ptr<desk> desk_;  // the threads', which may outlive this
  std::vector<std::thread> threads_;
};

}  // namespace lockstep::real
