#include <lockstep/http/client.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace lockstep::http {

namespace {

bool may_be_repeated(std::string_view method) noexcept {
  constexpr std::array<std::string_view, 6> idempotent{"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
  return std::find(idempotent.begin(), idempotent.end(), method) != idempotent.end();
}

// Where the answer says that it is; nothing if it is no redirection.
std::optional<url> redirection(const url& at, const response& answer) {
  const unsigned status = answer.status;
  if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308) return std::nullopt;
  const auto location = answer.headers.find("Location");
  return location ? std::optional(at.resolve(*location)) : std::nullopt;
}

// The request that follows a redirection: of 303, and as all do of a POST with 301 and 302, a GET without the body.
void redirect(request& what, unsigned status, bool other_host) {
  const bool becomes_get =
      (status == 303 && what.method != "HEAD") || ((status == 301 || status == 302) && what.method == "POST");
  if (becomes_get) {
    what.method = "GET";
    what.body.clear();
    for (const char* const each : {"Content-Length", "Content-Type", "Transfer-Encoding", "Expect"}) {
      what.headers.erase(each);
    }
  }
  what.headers.erase("Host");
  if (other_host) {
    what.headers.erase("Authorization");
    what.headers.erase("Cookie");
  }
}

}  // namespace

client::client(client_options options) : options_(std::move(options)) {}

client::~client() = default;

std::unique_ptr<connection> client::take_idle(const std::string& authority) {
  for (auto at = idle_.end(); at != idle_.begin();) {
    --at;
    if (at->authority != authority) continue;
    std::unique_ptr<connection> found = std::move(at->to);
    at = idle_.erase(at);
    if (found->is_idle()) return found;
  }
  return nullptr;
}

void client::keep(const std::string& authority, std::unique_ptr<connection> used) {
  if (options_.idle_max == 0 || !used->is_idle()) return;
  idle_.push_back({authority, std::move(used)});
  if (idle_.size() > options_.idle_max) idle_.pop_front();
}

task<response> client::ask(url at, request what) {
  const std::string authority = at.authority();
  what.target = at.target;
  if (std::unique_ptr<connection> kept = take_idle(authority); kept != nullptr) {
    try {
      response answer = co_await kept->exchange(what);
      keep(authority, std::move(kept));
      co_return answer;
    } catch (const std::system_error&) {
      if (kept->has_heard() || !may_be_repeated(what.method)) throw;
    }
  }
  tcp_stream stream = co_await connect(at.host, at.port, options_.connecting);
  auto made = std::make_unique<connection>(std::move(stream), authority, options_.limits);
  response answer = co_await made->exchange(std::move(what));
  keep(authority, std::move(made));
  co_return answer;
}

task<response> client::send(std::string url, request what) {
  http::url at = http::url::parse(url);
  for (unsigned followed = 0;; ++followed) {
    response answer = co_await ask(at, what);
    if (followed == options_.redirects_max) co_return answer;
    std::optional<http::url> next = redirection(at, answer);
    if (!next) co_return answer;
    redirect(what, answer.status, next->authority() != at.authority());
    at = std::move(*next);
  }
}

task<response> fetch(std::string url, request what, client_options options) {
  options.idle_max = 0;
  client once(std::move(options));
  if (!what.headers.contains("Connection")) what.headers.add("Connection", "close");
  response answer = co_await once.send(std::move(url), std::move(what));
  co_return answer;
}

}  // namespace lockstep::http
