#include <lockstep/net/connect.hpp>

#include <lockstep/runtime/select.hpp>
#include <lockstep/runtime/sleep.hpp>
#include <lockstep/runtime/task_group.hpp>
#include <lockstep/sync/event.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace lockstep {

namespace {

std::string text_of(const std::string& host, const std::vector<connect_failed::attempt>& attempts) {
  std::string text = fmt::format("no connection to \"{}\" (", host);
  for (const connect_failed::attempt& each : attempts) {
    if (&each != &attempts.front()) text += "; ";
    text += fmt::format("{}: {}", each.to.text(), each.error.message());
  }
  return text + ")";
}

// The attempts, of which the first that succeeds ends the others.
class happy_eyeballs {
 public:
  happy_eyeballs(const connect_by_name_options& options, const source& where) noexcept
      : options_(options), where_(where) {}

  task<void> run(std::vector<endpoint> to, task_group& group) {
    attempts_.reserve(to.size());
    for (const endpoint& each : to) {
      attempts_.push_back({each, {}});
      last_failed_.clear();
      group.spawn(make(attempts_.size() - 1, group), each.text());
      co_await select(last_failed_.wait(), sleep_for(options_.attempt_delay));
    }
  }

  std::optional<tcp_stream>& winner() noexcept { return winner_; }
  std::vector<connect_failed::attempt>& attempts() noexcept { return attempts_; }

 private:
  task<void> make(std::size_t number, task_group& group) {
    try {
      tcp_stream made = co_await connect_tcp(attempts_[number].to, options_.each, where_);
      if (winner_) co_return;
      winner_ = std::move(made);
      group.cancel("another attempt has succeeded");
    } catch (const std::system_error& failed) {
      attempts_[number].error = failed.code();
      if (number + 1 == attempts_.size()) last_failed_.set();
    }
  }

  const connect_by_name_options& options_;
  const source& where_;
  std::vector<connect_failed::attempt> attempts_;
  event last_failed_{"the attempt has failed"};
  std::optional<tcp_stream> winner_;
};

}  // namespace

connect_failed::connect_failed(const std::string& host, std::vector<attempt> attempts)
    : std::system_error(attempts.front().error, text_of(host, attempts)), attempts_(std::move(attempts)) {}

std::vector<endpoint> detail::interleaved(const std::vector<endpoint>& found) {
  const auto is_of_first = [&found](const endpoint& each) {
    return each.address().is_v6() == found.front().address().is_v6();
  };
  const auto middle = std::find_if_not(found.begin(), found.end(), is_of_first);
  std::vector<endpoint> mixed;
  mixed.reserve(found.size());
  for (auto one = found.begin(), other = middle; one != middle || other != found.end();) {
    if (one != middle) mixed.push_back(*one++);
    if (other != found.end()) mixed.push_back(*other++);
  }
  return mixed;
}

task<tcp_stream> connect(std::string host, std::uint16_t port, connect_by_name_options options, source where) {
  std::vector<endpoint> found = co_await resolver(options.names).resolve(host, port);
  if (found.size() == 1) {
    try {
      co_return co_await connect_tcp(found.front(), options.each, where);
    } catch (const std::system_error& failed) {
      throw connect_failed(host, {{found.front(), failed.code()}});
    }
  }
  happy_eyeballs attempts(options, where);
  const auto body = [&](task_group& group) -> task<void> { co_await attempts.run(detail::interleaved(found), group); };
  co_await with_task_group(body);
  if (!attempts.winner()) throw connect_failed(host, std::move(attempts.attempts()));
  co_return std::move(*attempts.winner());
}

}  // namespace lockstep
