#include <lockstep/sim/host.hpp>

namespace lockstep::sim {

int host::pipe2(int*, int) { return -ENOSYS; }
int host::eventfd(unsigned, int) { return -ENOSYS; }
int host::timerfd_create(int, int) { return -ENOSYS; }
int host::timerfd_settime(int, int, const itimerspec*, itimerspec*) { return -ENOSYS; }
int host::timerfd_gettime(int, itimerspec*) { return -ENOSYS; }
int host::epoll_create1(int) { return -ENOSYS; }
int host::epoll_ctl(int, int, int, epoll_event*) { return -ENOSYS; }
int host::epoll_wait(int, epoll_event*, int) { return -ENOSYS; }
int host::socketpair(int, int, int, int*) { return -ENOSYS; }

}  // namespace lockstep::sim
