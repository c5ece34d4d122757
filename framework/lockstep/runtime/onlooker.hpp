// Looks on while tasks end that belong to somebody else: the machinery under wait() and as_completed.
#pragma once

#include <lockstep/runtime/primitive.hpp>
#include <lockstep/runtime/spawn.hpp>
#include <lockstep/time/timer_wheel.hpp>

#include <cstddef>
#include <vector>

namespace lockstep::detail {

// Any number may look at one task. They change nothing about it, and nothing counts as read.
class onlooker {
 public:
  // The handles must own their tasks for as long as this lives, or until the tasks have ended.
  onlooker(const std::vector<const agent_owner*>& tasks, const source& where);
  onlooker(const onlooker&) = delete;
  onlooker& operator=(const onlooker&) = delete;
  ~onlooker();

  std::size_t size() const noexcept { return watches_.size(); }
  // The places of those that have ended, in the order in which they did. Those that had before come first.
  const std::vector<std::size_t>& ended() const noexcept { return ended_; }
  // Those that have not, in the order in which they were given.
  std::vector<agent*> left() const;

  // What to wait for: so many that have ended, or all; or one that has failed, not counting cancellations.
  struct condition {
    std::size_t ended;
    bool or_failure = false;
  };
  // Whether that has come about.
  bool has(const condition& wanted) const noexcept;

  class wait;
  class turn;

 private:
  explicit onlooker(std::size_t tasks);

  struct watch final : finish_watch {
    void finished(agent& who) noexcept override;

    onlooker* by = nullptr;
    std::size_t place = 0;
    agent* whom = nullptr;  // null when it has ended
  };
  void note_end(watch& of, const agent& who) noexcept;

  std::vector<watch> watches_;
  std::vector<std::size_t> ended_;
  bool failed_ = false;
  wait* waiter_ = nullptr;
  agent* at_turn_ = nullptr;
};

// Around each of several waits for one end more: misuse while another task's is under way.
class onlooker::turn {
 public:
  explicit turn(onlooker& of);
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;
  ~turn() { of_.at_turn_ = nullptr; }

 private:
  onlooker& of_;
};

// Waits for a condition, until the deadline at most. Returns whether it came about. Cancelling the waiter leaves the
// tasks alone.
class onlooker::wait final : public primitive<onlooker::wait>, private timer {
 public:
  wait(onlooker& by, condition wanted, time_point deadline) noexcept
      : primitive(operation_kind::join), timer(&when_due, deadline), by_(by), wanted_(wanted) {}
  wait(const wait&) = delete;
  wait& operator=(const wait&) = delete;

  bool try_now() const noexcept { return by_.has(wanted_); }
  void touch_what() const noexcept { touch(everything, access::write); }
  void touch_end() const noexcept override { touch_what(); }
  bool waits_in_any_case() const noexcept override {
    touch_what();
    return !by_.has(wanted_);
  }
  void enqueue() noexcept override;
  void withdraw() noexcept override;
  std::string describe() const override;
  agent* holder() const noexcept override;
  void awaits(std::vector<agent*>& into) const override;
  bool result() const noexcept { return by_.has(wanted_); }

 private:
  friend class onlooker;

  void end() noexcept;
  static void when_due(timer& due) noexcept;

  onlooker& by_;
  condition wanted_;
};

}  // namespace lockstep::detail
