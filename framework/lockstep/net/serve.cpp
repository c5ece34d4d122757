#include <lockstep/net/serve.hpp>

#include <lockstep/runtime/exception_handler.hpp>

#include <fmt/format.h>

#include <cerrno>

namespace lockstep {

server::server(const serve_options& options, source where)
    : options_(options), stopped_("the server was stopped"), changed_("a connection has ended") {
  if (options.connections_max == 0) {
    detail::here().owner->misused("a server with a connections_max of 0 serves nobody", where);
  }
}

server::running::running(server& of, const source& where) : of_(of) {
  if (std::exchange(of.began_, true)) {
    detail::here().owner->misused("run() of a server that has run, or runs, already", where);
  }
}

void server::stop(source where) { stopped_.set(where); }

void server::stop_now(source where) {
  stop(where);
  if (group_ != nullptr) group_->cancel("the server was stopped", where);
}

task<bool> server::wait_for_room() {
  while (!stopped_.is_set() && connections_ >= options_.connections_max) {
    changed_.clear();
    co_await select(stopped_.wait(), changed_.wait());
  }
  co_return !stopped_.is_set();
}

task<void> server::wait_for_handlers(task_group& group) {
  const time_point deadline = saturating_add(now(), options_.stop_limit);
  while (connections_ != 0) {
    changed_.clear();
    const auto first = co_await select(changed_.wait(), sleep_until(deadline));
    if (first.index == 0) continue;
    group.cancel("the server was stopped");
    co_return;
  }
}

std::optional<duration> server::pause_after(const std::error_code& error) const noexcept {
  if (error.category() != std::system_category()) return std::nullopt;
  switch (error.value()) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: return options_.accept_pause;
    case ECONNABORTED:
    case EINTR:
    // Errors of the network that belong to the new connection.
    case ENETDOWN:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH: return duration::zero();
    default: return std::nullopt;
  }
}

void server::failed(std::exception_ptr failure, const source& where) {
  if (!options_.ends_with_failure) {
    const agent* const who = detail::here().running;
    call_exception_handler(std::move(failure), fmt::format("the handler of {}", who->name()), where);
    return;
  }
  end_with(std::move(failure));
}

void server::end_with(std::exception_ptr failure) {
  if (failure_ == nullptr) failure_ = std::move(failure);
  stop_now();
}

// Perhaps as its frame is destroyed.
void server::left() noexcept {
  --connections_;
  if (detail::current_context == nullptr || detail::current_context->owner->destroying()) return;
  changed_.set();
}

}  // namespace lockstep
