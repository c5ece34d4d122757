// A blocking job that ends when the test says so, and whose thread can be seen to end.
#pragma once

#include <latch>
#include <memory>

namespace lockstep {

class stuck_job {
 public:
  // To be called on a thread once.
  auto function() const {
    return [parts = parts_] {
      struct at_the_end_of_the_thread {
        std::shared_ptr<const parts_of_job> told;
        ~at_the_end_of_the_thread() { told->thread_ended.count_down(); }
      };
      const thread_local at_the_end_of_the_thread tells{parts};
      parts->begun.count_down();
      parts->may_end.wait();
    };
  }
  // Blocks this thread.
  void wait_until_it_has_begun() const { parts_->begun.wait(); }
  void let_end() const { parts_->may_end.count_down(); }
  void let_end_and_wait_for_the_thread() const {
    let_end();
    parts_->thread_ended.wait();
  }

 private:
  struct parts_of_job {
    mutable std::latch begun{1};
    mutable std::latch may_end{1};
    mutable std::latch thread_ended{1};
  };
  std::shared_ptr<const parts_of_job> parts_ = std::make_shared<const parts_of_job>();
};

}  // namespace lockstep
