// An epoll: files that are watched, and those of them that may be ready in the order in which they became so.
//
// - An item is a pair of a descriptor and the file that it was when it was added; it goes when the file is closed.
// - What is in the ready list is asked again before it is reported. One that is level-triggered goes to the back of
//   the list then, so that all have their turn when there is little room for events.
// - Of an edge-triggered one only what comes later, or changing it, puts it into the list again.
// Source: epoll(7), epoll_ctl(2), epoll_wait(2); Linux's fs/eventpoll.c.
#pragma once

#include <lockstep/sim/open_file.hpp>

#include <sys/epoll.h>

#include <cstdint>
#include <map>
#include <vector>

namespace lockstep::sim {

class epoll final : public open_file {
 public:
  epoll(identity id, int status_flags) noexcept : open_file(id, status_flags) {}

  // As epoll_ctl(); the file is that of the descriptor.
  int control_item(int operation, int fd, open_file& file, const epoll_event* event);
  int wait(epoll_event* events, int events_max);

  int ioctl(unsigned long, void*) override { return -EINVAL; }
  unsigned ready() const noexcept override;
  epoll* as_epoll() noexcept override { return this; }
  std::string described() const override { return "epoll"; }

 private:
  struct in_ready_list;

  class item final : public readiness_watch, public list_hook<in_ready_list> {
   public:
    item(epoll& of, int fd, open_file& file) noexcept : of_(of), fd_(fd), file_(file) {
      list_hook<in_ready_list>::mark_unlinked();
    }
    open_file& file() const noexcept { return file_; }
    std::uint32_t asked() const noexcept { return asked_; }
    void ask(const epoll_event& event) noexcept;
    // Nothing is reported until it is asked again.
    void disable() noexcept;
    // What is ready of that.
    unsigned ready() const noexcept { return file_.ready() & events(); }
    bool may_be_reported() const noexcept { return list_hook<in_ready_list>::linked(); }
    const epoll_data_t& data() const noexcept { return data_; }

    void may_be_ready() noexcept override { of_.may_be_ready(*this); }
    void was_closed() noexcept override { of_.forget(*this, fd_); }

   private:
    epoll& of_;
    int fd_;
    open_file& file_;
    std::uint32_t asked_ = 0;
    epoll_data_t data_{};
  };
  using ready_list = intrusive_list<item, in_ready_list>;

  ~epoll() override = default;
  void closed() noexcept override;
  item* find(int fd, const open_file& file) noexcept;
  int add(int fd, open_file& file, const epoll_event& event);
  void may_be_ready(item& who) noexcept;
  // Its file has taken it off, or is told to.
  void forget(item& who, int fd) noexcept;
  void report_if_ready(item& who) noexcept;
  // Of the epolls that it watches, and of those that watch it: the longest chain.
  int depth_below() const noexcept;
  int depth_above() const noexcept;
  bool reaches(const epoll& other) const noexcept;

  std::multimap<int, item> items_;
  mutable ready_list ready_;
  std::vector<epoll*> inner_;
  std::vector<epoll*> outer_;
};

}  // namespace lockstep::sim
