// A program on the operating system, which asks itself by HTTP: it links lockstep::real and lockstep::http.
#include <lockstep/http/client.hpp>
#include <lockstep/http/server.hpp>
#include <lockstep/lockstep.hpp>
#include <lockstep/run.hpp>

#include <utility>

namespace http = lockstep::http;

lockstep::task<http::response> answer(http::request asked) {
  http::response made{asked.path() == "/answer" ? 200u : 404u};
  made.body = "42";
  co_return made;
}

lockstep::task<bool> asks_itself() {
  lockstep::tcp_listener listener = lockstep::tcp_listener::bind("127.0.0.1:0");
  const std::string url = "http://" + listener.local().text() + "/answer";
  lockstep::spawn_daemon(http::serve(std::move(listener), answer), "server");
  const http::response come = co_await http::fetch(url);
  co_return come.status == 200 && come.body == "42";
}

int main() { return lockstep::run(asks_itself()) ? 0 : 1; }
